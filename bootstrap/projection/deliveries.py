"""What reads the same secrets every few seconds, and the audit trail of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from bootstrap.store_pipeline import freshness_seconds
from domain.use_cases.follow_secrets import FollowSecrets
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from bootstrap.containers import Container
    from domain.model.audit import AuditEvent


_SHORTEST_REFRESH_SECONDS: Final = 5.0
"""Where the store's answers are not cached, every secret is still read as seldom as this."""


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


def refresh_seconds(container: Container) -> float:
    """Return the pause between two reads of every secret: as long as the cache keeps values."""
    ttl_seconds = container.pipeline().parts.cache_ttl_seconds
    freshness = freshness_seconds(container.configuration().service, ttl_seconds)
    return max(freshness, _SHORTEST_REFRESH_SECONDS)
