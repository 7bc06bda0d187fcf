"""The audit trail as log records: `secret_request`, one for every request."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.telemetry.audit_lines import AuditLines
from adapters.telemetry.audit_record import EVENT, audit_fields
from adapters.telemetry.rendering import render_json
from domain.model.audit import Outcome
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from structlog.typing import Processor

    from domain.model.audit import AuditEvent


class AuditLog(AuditTrail):
    """Writes answered requests as level info and all others as level warning.

    The level only labels a record: an audit trail that `LOG_LEVEL` could thin out would be none.

    Records go where the process's logging went when this was made, as it renders them. None of its
    other processors is used: the schema has hidden already what must not be shown, and hiding by a
    field's name would take it for ordinary log fields. Whatever looks like a credential is hidden.
    """

    def __init__(self) -> None:
        configuration = structlog.get_config()
        self._render: Processor = configuration["processors"][-1]
        self._output = configuration["logger_factory"]()
        self._lines = AuditLines()

    async def start(self) -> None:
        """Do nothing: logging is there from the start."""

    async def aclose(self) -> None:
        """Do nothing: every record is written at once."""

    @override
    def accepts(self) -> bool:
        return True

    @override
    def record(self, event: AuditEvent) -> None:
        # Whatever goes wrong here, the request has its answer already and must get it.
        with contextlib.suppress(Exception):
            level = "info" if event.outcome is Outcome.ANSWERED else "warning"
            self._output.msg(self._text(event, level))

    def _text(self, event: AuditEvent, level: str) -> str:
        if self._render is render_json:
            # Past structlog, which costs as much as all the rest: this runs for every request.
            return self._lines.line(event, level)
        fields = audit_fields(event)
        record = {"timestamp": fields.pop("timestamp"), "level": level, "event": EVENT, **fields}
        return str(self._render(None, level, record))
