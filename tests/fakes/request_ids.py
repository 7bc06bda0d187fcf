"""Request ids that a test can foretell."""

from __future__ import annotations

from itertools import count

from typing_extensions import override

from ports.request_ids import RequestIds


class FakeRequestIds(RequestIds):
    """Gives request-1, request-2, …"""

    def __init__(self) -> None:
        self._numbers = count(1)

    @override
    def next(self) -> str:
        return f"request-{next(self._numbers)}"
