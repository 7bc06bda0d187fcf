"""An audit trail in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.audit import AuditTrail

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


class FakeAuditTrail(AuditTrail):
    """Attributes: `events`, every event recorded, in order."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    @override
    def record(self, event: AuditEvent) -> None:
        self.events.append(event)
