"""What a part of the service logs as a warning, for a preflight to show."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from adapters.telemetry.redaction import redact_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, WrappedLogger

_NO_FIGURES = frozenset({"advice", "event", "level", "log_level"})


@contextmanager
def warnings_heard() -> Iterator[list[str]]:
    """Gather what is logged from "warning" up instead of writing it, one text each."""
    heard: list[str] = []

    def hear(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
        heard.append(_in_words(record))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[redact_fields, hear],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    try:
        yield heard
    finally:
        structlog.configure(**before)


def _in_words(record: EventDict) -> str:
    """Return the record's advice, or else its name, with its figures behind it."""
    figures: dict[str, Any] = {name: record[name] for name in record if name not in _NO_FIGURES}
    text = str(record.get("advice") or record["event"])
    if not figures:
        return text
    return f"{text} ({', '.join(f'{name}: {value}' for name, value in figures.items())})"
