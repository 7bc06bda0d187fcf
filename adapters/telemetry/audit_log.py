"""The audit trail as log records: `secret_request`, one for every request.

The record's fields are documented in docs/audit-log.md; raise `SCHEMA` when one changes meaning.
"""

from __future__ import annotations

import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from domain.model.audit import Outcome
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from domain.model.audit import AuditEvent

EVENT = "secret_request"
SCHEMA = 1
MAX_TEXT = 256
"""Longer texts that the requester chose are cut: a request must not be able to flood the log."""


class AuditLog(AuditTrail):
    """Writes answered requests at level info and all others at level warning.

    Args:
        logger: where records go; None takes the process's logging as it is configured now.
    """

    def __init__(self, logger: FilteringBoundLogger | None = None) -> None:
        # Bound once: looking the configuration up anew costs more than the rest of a record.
        self._log: FilteringBoundLogger = logger or structlog.get_logger().bind()

    @override
    def accepts(self) -> bool:
        return True

    @override
    def record(self, event: AuditEvent) -> None:
        answered = event.outcome is Outcome.ANSWERED
        level = logging.INFO if answered else logging.WARNING
        if not self._log.is_enabled_for(level):
            return
        # Whatever goes wrong here, the request has its answer already and must get it.
        with contextlib.suppress(Exception):
            (self._log.info if answered else self._log.warning)(EVENT, **audit_fields(event))


def audit_fields(event: AuditEvent) -> dict[str, object]:
    """Return the record's fields, flat; what is unknown is absent."""
    moment = datetime.fromtimestamp(event.time, UTC).isoformat(timespec="microseconds")
    fields: dict[str, object] = {
        "timestamp": moment.removesuffix("+00:00") + "Z",
        "schema": SCHEMA,
        "request_id": event.request_id,
        "operation": _cut(event.operation),
        "outcome": event.outcome.value,
        "reason": event.reason,
        "duration_ms": round(event.duration * 1000, 3),
    }
    optional = (
        ("error", event.error),
        ("key", event.key),
        ("field", event.field),
        ("version_asked", event.version_asked),
        ("version_served", event.version_served),
        ("grant", event.grant),
        ("upstream_request_id", event.upstream_request_id),
    )
    for name, text in optional:
        if text is not None:
            fields[name] = _cut(text)
    if event.location is not None:
        fields["path"] = _cut(event.location.path)
        for name, text in event.location.scope:
            fields[f"scope_{name}"] = text
    if event.requester is not None:
        fields["requester_account"] = _cut(event.requester.account)
        if event.requester.user is not None:
            fields["requester_user"] = _cut(event.requester.user)
    if event.caller is not None:
        entity, host = event.caller.entity, event.caller.host
        fields["entity"] = entity.subject
        fields["entity_kind"] = entity.kind.value
        fields["issuer"] = entity.issuer
        fields["host"] = host.subject
        for name, hint in (
            ("entity_name", entity.name),
            ("host_name", host.name),
            ("application", event.caller.application),
        ):
            if hint is not None:
                fields[name] = _cut(hint)
    return fields


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
