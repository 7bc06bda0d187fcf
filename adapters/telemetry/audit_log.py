"""The audit trail as log records: `secret_request`, one for every request."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import structlog
from typing_extensions import override

from adapters.telemetry.audit_record import EVENT, audit_fields
from adapters.telemetry.rendering import put_time_first
from domain.model.audit import Outcome
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


class AuditLog(AuditTrail):
    """Writes answered requests as level info and all others as level warning.

    The level only labels a record: an audit trail that `LOG_LEVEL` could thin out would be none.

    Args:
        logger: where records go; None takes the process's logging as it is configured now.
    """

    def __init__(self, logger: Any = None) -> None:
        self._log = logger or _unfiltered_logger()

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
            write = self._log.info if event.outcome is Outcome.ANSWERED else self._log.warning
            write(EVENT, **audit_fields(event))


def _unfiltered_logger() -> Any:
    """Return a logger that writes as the process's logging does, without its level.

    Of its processors only the last, which renders, is kept: the schema has hidden already what
    must not be shown, and hiding by a field's name would take it for ordinary log fields. The
    renderer still hides whatever looks like a credential.

    Bound once: looking the configuration up anew costs more than the rest of a record.
    """
    return structlog.wrap_logger(
        None,
        processors=[put_time_first, structlog.get_config()["processors"][-1]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
    ).bind()
