"""The audit trail as log records: `secret_request`, one for every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.telemetry.audit_lines import AuditLines
from adapters.telemetry.audit_record import EVENT, audit_fields
from adapters.telemetry.log_output import MAX_WAITING
from adapters.telemetry.log_setup import log_output
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

    def __init__(self, max_waiting: int = MAX_WAITING // 2, *, refuses: bool = True) -> None:
        """Take the output as it is configured now.

        Args:
            max_waiting: characters that may wait for the log's reader, at most half of what
                the output itself lets wait.
            refuses: whether `accepts` says no while that much is waiting; records are dropped and
                counted otherwise.
        """
        self._output = log_output()
        self._render: Processor = structlog.get_config()["processors"][-1]
        # Past structlog, which costs as much as all the rest: this runs for every request.
        self._text = AuditLines().line if self._render is render_json else self._rendered
        self._max_waiting = min(max_waiting, MAX_WAITING // 2)
        self._refuses = refuses
        self._dropped = 0

    @property
    def waiting(self) -> int:
        """Lines not yet written, those of others among them."""
        return self._output.waiting_lines

    @property
    def dropped(self) -> int:
        """Records lost since the start."""
        return self._dropped

    @property
    def failing(self) -> bool:
        """Whether the log's reader is too slow for more to be kept."""
        return self._output.keeps_waiting(self._max_waiting)

    async def start(self) -> None:
        """Do nothing: logging is there from the start."""

    async def aclose(self) -> None:
        """Do nothing: the output writes what it was given by the end of the process."""

    @override
    def accepts(self) -> bool:
        return not (self._refuses and self._output.keeps_waiting(self._max_waiting))

    @override
    def record(self, event: AuditEvent) -> None:
        # Of a secret that has left there is a record in any case: `accepts` has said no by then.
        is_full = self._output.keeps_waiting(self._max_waiting)
        if is_full and not (self._refuses and event.has_left):
            self._dropped += 1
            return
        level = "info" if event.outcome is _ANSWERED else "warning"
        try:
            self._output.msg(self._text(event, level))
        except Exception:  # noqa: BLE001  whatever went wrong, the request must get its answer
            self._dropped += 1

    def _rendered(self, event: AuditEvent, level: str) -> str:
        fields = audit_fields(event)
        record = {"timestamp": fields.pop("timestamp"), "level": level, "event": EVENT, **fields}
        return str(self._render(None, level, record))


_ANSWERED = Outcome.ANSWERED
"""Looked up once: a member is found by its class through a function of `enum`, for every record."""
