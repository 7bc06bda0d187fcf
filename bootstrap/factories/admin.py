"""Metrics, probes and the HTTP they are asked over; all of it only with ADMIN_ADDR.

Without it their libraries are not even loaded, which takes a tenth of a start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.admin_http.checks import (
    audit_check,
    nats_check,
    policy_check,
    serving_check,
    store_check,
)
from adapters.admin_http.readiness import Readiness
from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.metrics.sources import Sources
from adapters.metrics.worker_restarts import show_restarts
from bootstrap.admin_parts import AdminParts, ServingState
from bootstrap.factories.changes import absent_pages, with_webhook
from bootstrap.factories.store_evidence import StoreEvidence
from bootstrap.version import __version__

if TYPE_CHECKING:
    from adapters.metrics.registry import Metrics
    from adapters.nats.connection import NatsConnection
    from adapters.nats.transport import NatsTransport
    from bootstrap.access_parts import AccessParts
    from bootstrap.audit_parts import AuditParts
    from bootstrap.change_parts import ChangeParts
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreStack
    from bootstrap.workers.former_lives import FormerLives
    from ports.audit import AuditTrail
    from ports.clock import Clock


def metrics(settings: Settings, clock: Clock, former: FormerLives) -> Metrics | None:
    """Make the registry, unless nobody could read it."""
    if settings.admin_addr is None:
        return None
    from adapters.metrics.registry import Metrics  # noqa: PLC0415  see above

    registry = Metrics(clock, version=__version__, store=settings.secret_store)
    show_restarts(registry, former.number, former.ends)
    return registry


def audit_trail(audit: AuditParts, registry: Metrics | None) -> AuditTrail:
    """Count what the audit trail records."""
    return audit.trail if registry is None else MeteredAuditTrail(audit.trail, registry)


def admin_parts(
    *,
    settings: Settings,
    registry: Metrics | None,
    connection: NatsConnection,
    transport: NatsTransport,
    stack: StoreStack,
    changes: ChangeParts,
    access: AccessParts,
    audit: AuditParts,
    clock: Clock,
) -> AdminParts:
    """Put the pages together, and have the registry ask the parts at each scrape."""
    address = settings.admin_address
    if address is None or registry is None:
        return AdminParts()
    from adapters.admin_http.app import build_app  # noqa: PLC0415  see above
    from adapters.admin_http.server import AdminHttp  # noqa: PLC0415  see above
    from adapters.metrics.live import LiveCollector  # noqa: PLC0415  see above

    serving = ServingState()
    readiness = _readiness(
        serving=serving,
        connection=connection,
        stack=stack,
        access=access,
        audit=audit,
        clock=clock,
    )
    registry.add(
        LiveCollector(
            Sources(
                transport=transport,
                connection=connection,
                audit=audit.trail,
                in_flight_limit=settings.max_in_flight,
                sinks=audit.buffers,
                policy=access.file,
                breaker=stack.breaker,
                infisical=stack.parts.infisical,
                cache=stack.cache,
                readiness=readiness,
            )
        )
    )
    pages = build_app(readiness, registry, absent=absent_pages(settings))
    app = with_webhook(pages, settings, changes, serving, clock)
    return AdminParts(serving, AdminHttp(address, app, clock), readiness)


def _readiness(
    *,
    serving: ServingState,
    connection: NatsConnection,
    stack: StoreStack,
    access: AccessParts,
    audit: AuditParts,
    clock: Clock,
) -> Readiness:
    def is_serving() -> bool:
        return serving.is_serving

    evidence = StoreEvidence(stack, clock)
    checks = [
        serving_check(is_serving),
        nats_check(lambda: connection.is_connected),
        store_check(
            stack.parts.check, is_serving, proof=evidence.proof, disproof=evidence.disproof
        ),
        audit_check(audit.trail.accepts),
    ]
    if (file := access.file) is not None:
        checks.append(policy_check(lambda: file.status))
    return Readiness(checks, clock)
