"""The line in the log that says that a limit holds calls back."""

from __future__ import annotations

import math
from typing import Final, final

import structlog

LOG_SECONDS: Final = 10.0
"""Under the operator's limit places come free one by one; not each is worth a line."""

_log = structlog.get_logger()


@final
class ThrottleLog:
    """Writes one line for each time that calls are held back, and not too often."""

    def __init__(self, code: str) -> None:
        self._store = code
        self._quiet_until = -math.inf

    def write(self, until: float, waiting: int, now: float) -> None:
        """Write until when no call is sent, if that is known and was not written just before.

        Args:
            until: monotonic seconds; not after `now` if it is unknown.
            now: monotonic seconds.
        """
        if now >= self._quiet_until and until > now:
            self._quiet_until = max(until, now + LOG_SECONDS)
            _log.warning(
                "upstream.held_back",
                store=self._store,
                seconds=round(until - now, 1),
                waiting=waiting,
            )
