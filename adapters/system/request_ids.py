"""Request ids: a random start for the process, then a count."""

from __future__ import annotations

import itertools
import os
from base64 import b32encode

from typing_extensions import override

from ports.request_ids import RequestIds


class CountingRequestIds(RequestIds):
    """Gives ids such as `k3f7q2xm-00002a`: 8 random base32 characters, then a hexadecimal count.

    The 40 random bits keep replicas and restarts apart; nothing secret goes into an id.
    """

    def __init__(self) -> None:
        self._prefix = b32encode(os.urandom(5)).decode("ascii").lower()
        self._count = itertools.count(1)

    @override
    def next(self) -> str:
        return f"{self._prefix}-{next(self._count):06x}"
