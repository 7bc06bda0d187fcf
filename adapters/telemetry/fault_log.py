"""Unexpected failures, as one log record each."""

from __future__ import annotations

import contextlib

import structlog
from typing_extensions import override

from adapters.telemetry.stack import describe_error
from ports.fault_log import FaultLog


class StructlogFaultLog(FaultLog):
    """Writes `fault.unexpected` with the error's type and frames; never raises."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()

    @override
    def unexpected(self, error: BaseException, request_id: str) -> None:
        with contextlib.suppress(Exception):
            self._log.error("fault.unexpected", request_id=request_id, **describe_error(error))
