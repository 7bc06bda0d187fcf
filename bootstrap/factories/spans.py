"""What makes spans and carries them away. Importing this needs the extra `otel`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from adapters.tracing.audit_trail import TracedAuditTrail
from adapters.tracing.export import SpanExport
from adapters.tracing.exporter import OtlpExporter
from adapters.tracing.request_handler import MessagingNames, TracedRequestHandler
from adapters.tracing.secret_store import TracedSecretStore
from bootstrap.change_parts import replica_name
from bootstrap.settings.stores import INFISICAL
from bootstrap.tracing_parts import TracingParts
from bootstrap.version import __version__
from domain.model.transport import Operation

if TYPE_CHECKING:
    from adapters.nats.config import NatsConfig
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.settings import Settings
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from ports.transport import RequestHandler

SERVICE_NAME: Final = "wasmcloud-secrets"
WORKER: Final = "wasmcloud_secrets.worker"
BACKEND: Final = "wasmcloud_secrets.backend"

_HTTP_PORTS = {"http": 80, "https": 443}


def span_parts(
    settings: Settings, nats: NatsConfig, subjects: SecretsSubjects, worker: int, clock: Clock
) -> TracingParts:
    """Build them; TRACES_ENDPOINT is set.

    Raises:
        SettingsError: the file with the headers cannot be used.
    """
    endpoint, headers = settings.traces_endpoint or "", settings.read_traces_headers()
    export = SpanExport(
        OtlpExporter(endpoint, headers, settings.traces_ca_file, clock),
        clock,
        sample_ratio=settings.traces_sample_ratio,
        resource=resource(settings, worker),
    )
    tracer = export.tracer(__version__)
    names_allowed = settings.traces_secret_names
    subject_of = {str(operation): subjects.of(operation) for operation in Operation}
    messaging = MessagingNames("nats", subject_of)
    server = upstream(settings, nats)

    def handler(inner: RequestHandler) -> RequestHandler:
        return TracedRequestHandler(inner, tracer, clock, messaging)

    def trail(inner: AuditTrail) -> AuditTrail:
        return TracedAuditTrail(inner, names_allowed=names_allowed)

    def store(inner: SecretStore) -> SecretStore:
        kind = settings.secret_store
        return TracedSecretStore(
            inner, tracer, store=kind, server=server, names_allowed=names_allowed
        )

    return TracingParts(export, handler, trail, store)


def upstream(settings: Settings, nats: NatsConfig) -> dict[str, str | int]:
    """Return the store's `server.address` and `server.port`; none for a choice of NATS servers."""
    if settings.secret_store == INFISICAL:
        parts = urlsplit(settings.infisical_base_url)
        host, port = parts.hostname or "", parts.port or _HTTP_PORTS[parts.scheme]
    elif len(nats.addresses) == 1:
        (address,) = nats.addresses
        host, port = address.host, address.port
    else:
        return {}
    return {"server.address": host, "server.port": port}


def resource(settings: Settings, worker: int) -> dict[str, str | int]:
    """Return what all spans of this process have in common."""
    return {
        "service.name": SERVICE_NAME,
        "service.version": __version__,
        "service.instance.id": replica_name(),
        "process.pid": os.getpid(),
        WORKER: worker,
        BACKEND: settings.backend_name,
    }
