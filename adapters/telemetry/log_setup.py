"""Logging for the whole process: one record a line on stderr, so that stdout stays for output."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog
from typing_extensions import override

from adapters.telemetry.fault_log import describe_exc_info
from adapters.telemetry.log_output import LogOutput
from adapters.telemetry.redaction import redact_fields
from adapters.telemetry.rendering import RepeatLimit, console_renderer, put_time_first, render_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import Processor

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "console"]

_LEVELS: dict[LogLevel, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logging(
    level: LogLevel = "info",
    log_format: LogFormat = "auto",
    stream: TextIO | None = None,
    *,
    worker: int | None = None,
) -> None:
    """Set up structlog, and the standard library's logging for the libraries' sake.

    Args:
        level: the least that is logged. Libraries are heard from "warning" up in any case.
        log_format: "auto" is columns on a terminal and JSON otherwise.
        stream: where lines go; the process's stderr when None.
        worker: the number of this process, which every line then tells.
    """
    file = sys.stderr if stream is None else stream
    as_json = log_format == "json" or (log_format == "auto" and not file.isatty())
    render: Processor = render_json if as_json else console_renderer(colors=file.isatty())
    output = LogOutput(file, str if worker is None else _numbering(worker, as_json=as_json))
    structlog.configure(
        processors=[
            RepeatLimit(),
            structlog.processors.add_log_level,
            describe_exc_info,
            redact_fields,
            put_time_first,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=False,
    )
    route_library_logs()


def log_output() -> LogOutput:
    """Return where lines go; to stderr as long as logging is not configured."""
    output = structlog.get_config()["logger_factory"]()
    return output if isinstance(output, LogOutput) else LogOutput(sys.stderr)


def _numbering(worker: int, *, as_json: bool) -> Callable[[str], str]:
    # On finished lines: the audit trail writes its own past the processors.
    if as_json:
        return lambda line: f'{line[:-1]},"worker":{worker}}}'
    return lambda line: f"{line} worker={worker}"


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
