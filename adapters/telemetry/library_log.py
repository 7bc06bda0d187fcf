"""What libraries say through the standard library's logging, let through without its details."""

from __future__ import annotations

import contextlib
import logging
import re

import structlog
from typing_extensions import override

_HARMLESS_START = re.compile(r"[A-Za-z0-9 ,.:;_/-]{0,120}")


class LibraryLogHandler(logging.Handler):
    """Passes warnings and errors on as `library.warning` and `library.error`.

    Only the beginning of a message's template goes through, up to the first quote, bracket or
    placeholder: arguments, object reprs and exception texts are where libraries put payloads (an
    HTTP client its URLs, asyncio the repr of a failed task with its exception).
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._log = structlog.get_logger()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        start = _HARMLESS_START.match(str(record.msg))
        fields: dict[str, object] = {
            "library": record.name,
            "message": start.group().strip() if start else "",
        }
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info[1]
        # A library's logging call must never fail for our sake.
        with contextlib.suppress(Exception):
            if record.levelno >= logging.ERROR:
                self._log.error("library.error", **fields)
            else:
                self._log.warning("library.warning", **fields)


def route_library_logs() -> None:
    """Make this the only handler of the root logger, from WARNING up."""
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
    root.addHandler(LibraryLogHandler())
    root.setLevel(logging.WARNING)
