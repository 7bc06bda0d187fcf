"""The audit trail of an agent that reads the same secrets every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from domain.use_cases.follow_secrets import FollowSecrets
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from bootstrap.containers import Container
    from domain.model.audit import AuditEvent


@final
class DeliveryTrail(AuditTrail):
    """Records a read that ends otherwise than the same read did before, and passes over the rest.

    A value that is read again, and is in its file already, does not leave: one record says when it
    did. A refusal is recorded when it begins.
    """

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail
        self._last: dict[Any, Any] = {}

    @override
    def accepts(self) -> bool:
        return self._trail.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        properties = tuple(sorted((event.properties or {}).items()))
        what = (event.caller, event.key, event.field, event.version_asked, properties)
        how = (event.outcome, event.error, event.reason, event.grant, event.version_served)
        if self._last.get(what) != how:
            self._last[what] = how
            self._trail.record(event)

    def forget(self) -> None:
        """Have the next read of each secret recorded: its value is written again."""
        self._last.clear()


def following(
    container: Container, max_stale_seconds: float
) -> tuple[FollowSecrets, DeliveryTrail]:
    """Return what reads secrets for workloads again and again, and the trail that it records to."""
    deliveries, tracing = DeliveryTrail(container.shown_trail()), container.tracing()
    # Spans outside: one that is passed over here says all the same how it ended.
    reads = container.workload_reads(audit=tracing.trail(deliveries))
    follow = FollowSecrets(
        tracing.workload_reads(reads),
        container.clock(),
        timeout_seconds=container.configuration().service.request_timeout_seconds,
        max_stale_seconds=max_stale_seconds,
    )
    return follow, deliveries
