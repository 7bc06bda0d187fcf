"""A bound on how often one event is logged: what a peer can cause must not fill the log.

A log is rotated by size, and older audit events go with it. Audit events themselves do not pass
here: they are summed up by kind (`adapters.audit.summed_refusals`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

    from ports.clock import Clock

LINES_A_SECOND: Final = 50
"""Of one event; what the service does by itself stays far below."""

_MAX_EVENTS: Final = 1024
"""Events are constant names, but for those of libraries."""


@final
class RepeatLimit:
    """A processor that leaves lines of one event out beyond 50 in a second.

    The first line of that event in a later second says in `left_out` how many there were.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._counts: dict[str, tuple[int, int]] = {}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Pass a line on.

        Raises:
            structlog.DropEvent: it is left out.
        """
        name, second = str(event.get("event")), int(self._clock.monotonic())
        counted_in, count = self._counts.get(name, (second, 0))
        if counted_in != second:
            left_out, count = max(0, count - LINES_A_SECOND), 0
            if left_out:
                event["left_out"] = left_out
        elif name not in self._counts and len(self._counts) >= _MAX_EVENTS:
            self._counts.clear()
        self._counts[name] = second, count + 1
        if count >= LINES_A_SECOND:
            raise structlog.DropEvent
        return event
