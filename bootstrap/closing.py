"""How long a replica may take to close after the signal to stop, whatever hangs meanwhile.

Its supervisor and its service manager rely on it: a process that is killed loses audit events.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.audit.buffered import BufferLimits
from adapters.change_notice.notices import CLOSE_SECONDS as NOTICES_SECONDS
from adapters.system.cancelling import cancel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.clock import Clock

ANSWERS_SECONDS: Final = 5.0
"""Seconds after the grace period by which requests still in flight are refused and answers sent."""

RECORDS_SECONDS: Final = ANSWERS_SECONDS + max(BufferLimits().grace_seconds, NOTICES_SECONDS) + 1.0
"""Seconds after the grace period by which the audit trail is closed and notices are published."""

TRANSPORT_SECONDS: Final = RECORDS_SECONDS + 1.5
"""Seconds after the grace period by which the transport is disconnected. From here on there is
nothing left to lose."""

CLOSING_SECONDS: Final = TRANSPORT_SECONDS + 1.5
"""Seconds after the grace period by which everything is closed."""

_log = structlog.get_logger()


@final
class Closing:
    """Deadlines of one close. They count from its first part on: what one saves the next ones have.
    `grace_seconds`: for requests in flight, before anything else.
    """

    def __init__(self, clock: Clock, grace_seconds: float) -> None:
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._began: float | None = None

    async def finish(self, part: str, seconds: float, close: Callable[[], Awaitable[None]]) -> None:
        """Close one part, or give it up at its deadline.

        Args:
            seconds: the deadline, after the grace period.
            close: what closes it. Its exceptions pass through.
        """
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now
        closing = asyncio.ensure_future(close())
        try:
            async with self._clock.timeout_at(self._began + self._grace_seconds + seconds):
                await asyncio.wait({closing})
        except TimeoutError:
            _log.warning("service.part_not_closed", part=part)
        finally:
            await cancel({closing})
        if not closing.cancelled():
            closing.result()
