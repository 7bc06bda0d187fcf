"""Traces, where an endpoint is set; nothing of OpenTelemetry is imported otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.lifecycle import ServiceFailedError
from bootstrap.settings.foreign_variables import without_variables
from bootstrap.tracing_parts import TracingParts

if TYPE_CHECKING:
    from adapters.nats.config import NatsConfig
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.settings import Settings
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.transport import RequestHandler


def tracing_parts(
    settings: Settings, nats: NatsConfig, subjects: SecretsSubjects, worker: int, clock: Clock
) -> TracingParts:
    """Build what traces; `worker` is this process's number among the workers.

    Raises:
        ServiceFailedError: the extra is not installed.
        SettingsError: the file with the headers cannot be used.
    """
    if settings.traces_endpoint is None:
        return TracingParts()
    # They belong to whatever else runs with this environment: a header there may be a credential
    # for another collector, and a wrong number would end the import.
    with without_variables("OTEL_"):
        try:
            from bootstrap.factories.spans import span_parts  # noqa: PLC0415  needs the extra
        except ModuleNotFoundError as error:
            missing = error.name
        else:
            return span_parts(settings, nats, subjects, worker, clock)
    raise ServiceFailedError(
        f"TRACES_ENDPOINT is set, and {missing} is not installed: pip install "
        '"wasmcloud-secrets[otel]", or unset TRACES_ENDPOINT.'
    )


def traced_handler(handler: RequestHandler, tracing: TracingParts) -> RequestHandler:
    """Put a span around every request, if any is to have one."""
    return tracing.handler(handler)


def traced_trail(trail: AuditTrail, tracing: TracingParts) -> AuditTrail:
    """Have spans told what the audit trail is told."""
    return tracing.trail(trail)
