"""An audit trail in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.audit import AuditTrail

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


class FakeAuditTrail(AuditTrail):
    """Keeps what it is given.

    Attributes:
        events: every event recorded, in order.
        full: while set, the trail accepts no more; what is recorded all the same is kept.
    """

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.full = False

    @override
    def accepts(self) -> bool:
        return not self.full

    @override
    def record(self, event: AuditEvent) -> None:
        self.events.append(event)
