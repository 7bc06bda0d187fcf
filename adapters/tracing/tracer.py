"""Everything that traces requests, put together. Importing this needs the extra `otel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from adapters.tracing.export import OtlpExporter, SpanExport
from adapters.tracing.request_handler import (
    TracedAuditTrail,
    TracedRequestHandler,
    TracedWorkloadReads,
)
from adapters.tracing.secret_store import TracedSecretStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from domain.use_cases.read_for_workload import ReadsForWorkloads
    from ports.audit import AuditTrail
    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from ports.transport import RequestHandler


@final
class OtlpTracing:
    """Makes spans and sends them by OTLP over HTTP.

    Args:
        ca_file: certificates that it is checked against.
        sample_ratio: the share of the requests that are traced, 0 to 1.
        names_allowed: whether spans may name secrets.
        resource: what all spans have in common.
        system: the transport's name in OpenTelemetry's terms.
        destinations: where each operation is asked for.
        store: the name of the kind of store.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, SecretStr],
        ca_file: Path | None,
        clock: Clock,
        *,
        version: str,
        sample_ratio: float,
        names_allowed: bool,
        resource: Mapping[str, str | int],
        system: str,
        destinations: Mapping[str, str],
        store: str,
    ) -> None:
        self._export = SpanExport(
            OtlpExporter(endpoint, headers, ca_file, clock),
            clock,
            sample_ratio=sample_ratio,
            resource=resource,
        )
        self._tracer = self._export.tracer(version)
        self._clock = clock
        self._names_allowed = names_allowed
        self._system = system
        self._destinations = destinations
        self._store = store

    def start(self) -> None:
        """Begin to carry spans away."""
        self._export.start()

    async def aclose(self) -> None:
        """Send the last spans, within a few seconds."""
        await self._export.aclose()

    def handler(self, inner: RequestHandler) -> RequestHandler:
        """Put a span around every request."""
        return TracedRequestHandler(
            inner,
            self._tracer,
            self._clock,
            system=self._system,
            destinations=self._destinations,
        )

    def workload_reads(self, inner: ReadsForWorkloads) -> ReadsForWorkloads:
        """Put a span around every read for a workload of wasmCloud 2."""
        return TracedWorkloadReads(inner, self._tracer)

    def trail(self, inner: AuditTrail) -> AuditTrail:
        """Return an audit trail that adds to the spans what it records."""
        return TracedAuditTrail(inner, names_allowed=self._names_allowed)

    def store(self, inner: SecretStore, server: tuple[str, int] | None) -> SecretStore:
        """Put a span around every call to the store, which is at `server` if that is known."""
        return TracedSecretStore(
            inner,
            self._tracer,
            store=self._store,
            server={} if server is None else dict(zip(_SERVER, server, strict=True)),
            names_allowed=self._names_allowed,
        )


_SERVER = ("server.address", "server.port")
