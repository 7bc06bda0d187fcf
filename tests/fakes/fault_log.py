"""A fault log in memory."""

from __future__ import annotations

from typing_extensions import override

from ports.fault_log import FaultLog


class FakeFaultLog(FaultLog):
    """Attributes: `faults`, every error with its request id, in order."""

    def __init__(self) -> None:
        self.faults: list[tuple[BaseException, str]] = []

    @override
    def unexpected(self, error: BaseException, request_id: str) -> None:
        self.faults.append((error, request_id))
