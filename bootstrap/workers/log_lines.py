"""Every log line of a worker says which one wrote it."""

from __future__ import annotations

from typing import Protocol

import structlog

from adapters.telemetry.rendering import render_json


class _Output(Protocol):
    def msg(self, line: str) -> None: ...


class NumberedLines:
    """Adds the field to finished lines: the audit trail writes its own past the processors."""

    def __init__(self, output: _Output, number: int, *, as_json: bool) -> None:
        self._output = output
        self._cut = 1 if as_json else 0
        self._end = f',"worker":{number}}}' if as_json else f" worker={number}"

    def msg(self, line: str) -> None:
        """Write one record."""
        self._output.msg(line[: len(line) - self._cut] + self._end)

    debug = info = warning = error = critical = msg


def number_log_lines(number: int) -> None:
    """Add the field `worker` to all records from now on; logging must be configured already."""
    configuration = structlog.get_config()
    make = configuration["logger_factory"]
    as_json = configuration["processors"][-1] is render_json
    structlog.configure(logger_factory=lambda *_: NumberedLines(make(), number, as_json=as_json))
