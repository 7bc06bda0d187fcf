"""From a record's fields to one line of text: JSON for collectors, columns for people.

How often one event is logged is bounded: what a peer can cause must not fill a log that is rotated
by size, and older audit events with it. Audit events themselves do not pass here: they are summed
up by kind (`adapters.audit.summed_refusals`).
"""

from __future__ import annotations

import json
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, final

import structlog

from adapters.system.clock import SystemClock
from adapters.telemetry.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, WrappedLogger

    from ports.clock import Clock

_stamper = structlog.processors.TimeStamper(fmt="iso", utc=True)

LINES_A_SECOND: Final = 50
"""Of one event; what the service does by itself stays far below."""

_MAX_EVENTS: Final = 1024
"""Events are constant names, but for those of libraries."""


def put_time_first(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Order a record as it is read: time, level, event, then the rest.

    A record that brings its own `timestamp` keeps it.
    """
    if "timestamp" not in event:
        event = _stamper(logger, method, event)
    return {
        "timestamp": event.pop("timestamp"),
        "level": event.pop("level", method),
        "event": event.pop("event", ""),
        **event,
    }


def render_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return one line of ASCII JSON, whatever the fields hold."""
    return redact_text(_encode(event))


def console_renderer(*, colors: bool) -> Callable[[WrappedLogger, str, EventDict], str]:
    """Return a renderer for a person at a terminal."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=lambda *_: None, pad_event_to=28
    )

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        # Through JSON, so that both formats show the same and no control character survives.
        plain = {name: _without_controls(value) for name, value in _as_json(event).items()}
        return redact_text(str(renderer(logger, method, plain)))

    return render


def _as_json(event: EventDict) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(_encode(event))
    return plain


def _without_controls(value: object) -> object:
    if isinstance(value, str) and not value.isprintable():
        return value.encode("unicode_escape").decode("ascii")
    return value


def _shown(value: object) -> object:
    """Show an object that JSON does not know by its type alone: a repr may say too much."""
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return f"<{type(value).__name__}>"


_encode = json.JSONEncoder(separators=(",", ":"), default=_shown, skipkeys=True).encode


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
