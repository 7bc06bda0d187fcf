"""From a record's fields to one line of text: JSON for collectors, columns for people."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import structlog

from adapters.telemetry.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, WrappedLogger

_stamper = structlog.processors.TimeStamper(fmt="iso", utc=True)


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
