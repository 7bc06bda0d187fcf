"""Traces of requests, where an endpoint is set; nothing of OpenTelemetry is imported otherwise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

from bootstrap.plugin_contexts import replica_name
from bootstrap.settings import SettingsError
from bootstrap.settings.library_variables import without_variables
from bootstrap.settings.monitoring import missing_extra
from bootstrap.version import __version__
from domain.model.transport import Operation

if TYPE_CHECKING:
    from adapters.tracing.tracer import OtlpTracing
    from bootstrap.settings import Configuration
    from domain.use_cases.read_for_workload import ReadsForWorkloads
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from ports.transport import RequestHandler
    from ports.transport_plugin import TransportParts

SERVICE_NAME: Final = "wasmcloud-secrets"
WORKER: Final = "wasmcloud_secrets.worker"
BACKEND: Final = "wasmcloud_secrets.backend"


class NoTracing:
    """Puts nothing around anything."""

    def start(self) -> None:
        """Begin to carry spans away."""

    async def aclose(self) -> None:
        """Send the last spans, within a few seconds."""

    def handler(self, inner: RequestHandler) -> RequestHandler:
        """Put a span around every request."""
        return inner

    def workload_reads(self, inner: ReadsForWorkloads) -> ReadsForWorkloads:
        """Put a span around every read for a workload of wasmCloud 2."""
        return inner

    def trail(self, inner: AuditTrail) -> AuditTrail:
        """Return an audit trail that adds to the spans what it records."""
        return inner

    def store(self, inner: SecretStore, _server: tuple[str, int] | None) -> SecretStore:
        """Put a span around every call to the store, which is at `server` if that is known."""
        return inner


Tracing: TypeAlias = "NoTracing | OtlpTracing"
"""What is put around ports and reads, and what carries the spans away."""


def build_tracing(configuration: Configuration, parts: TransportParts, clock: Clock) -> Tracing:
    """Build what traces.

    Raises:
        SettingsError: the extra is not installed, or the file with the headers cannot be used.
    """
    settings = configuration.service
    if settings.traces_endpoint is None:
        return NoTracing()
    # They belong to whatever else runs with this environment: a header there may be a credential
    # for another collector, and a wrong number would end the import.
    with without_variables("OTEL_"):
        try:
            from adapters.tracing.tracer import OtlpTracing  # noqa: PLC0415  needs the extra
        except ModuleNotFoundError as error:
            missing = error.name
        else:
            return OtlpTracing(
                settings.traces_endpoint,
                settings.read_traces_headers(),
                settings.traces_ca_file,
                clock,
                version=__version__,
                sample_ratio=settings.traces_sample_ratio,
                names_allowed=settings.traces_secret_names,
                resource=resource(configuration),
                system=parts.system,
                destinations={str(each): parts.address_of(each) for each in Operation},
                store=settings.secret_store,
            )
    raise SettingsError(missing_extra(str(missing)))


def resource(configuration: Configuration) -> dict[str, str | int]:
    """Return what all spans of this process have in common."""
    return {
        "service.name": SERVICE_NAME,
        "service.version": __version__,
        "service.instance.id": replica_name(),
        "process.pid": os.getpid(),
        WORKER: configuration.worker,
        BACKEND: configuration.service.backend,
    }
