"""The whole core on fakes, traced, with its spans kept in memory; and the span of one event."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from typing_extensions import override

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.tracing.request_handler import TracedAuditTrail, TracedRequestHandler
from adapters.tracing.secret_store import TracedSecretStore
from adapters.upstream.bounded_store import BoundedSecretStore
from domain.model.transport import Operation
from domain.use_cases.fetch_secret import FetchSecret
from tests.fakes.audit import FakeAuditTrail
from tests.support.core import Core

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AnyValue

    from domain.model.audit import AuditEvent
    from domain.model.transport import Reply

SUBJECT = "wasmcloud.secrets.v1alpha1.infisical."
DESTINATIONS = {str(operation): f"{SUBJECT}{operation}" for operation in Operation}
SERVER: Mapping[str, str | int] = {"server.address": "infisical.test", "server.port": 443}


class RecordedSpans:
    """A tracer, and the spans that ended."""

    def __init__(self, sample_ratio: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource({}),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("test")

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """Every span that ended, first come first."""
        return self._exporter.get_finished_spans()

    @property
    def only(self) -> ReadableSpan:
        """The one span that ended."""
        (span,) = self.all
        return span

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of one name."""
        return [span for span in self.all if span.name == name]


def attributes_of(span: ReadableSpan) -> dict[str, AnyValue]:
    """Return the span's attributes, our prefix left out."""
    return {
        name.removeprefix("wasmcloud_secrets."): value
        for name, value in (span.attributes or {}).items()
    }


@dataclass
class TracedCore(Core):
    """Traced where the service is: around the core, the audit trail and the store."""

    names_allowed: bool = False
    sample_ratio: float = 1.0
    cached: bool = False
    spans: RecordedSpans = field(init=False)
    handler: TracedRequestHandler = field(init=False)

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.spans = RecordedSpans(self.sample_ratio)
        tracer = self.spans.tracer
        traced = TracedSecretStore(
            BoundedSecretStore(self.store, self.clock),
            tracer,
            store="infisical",
            server=SERVER,
            names_allowed=self.names_allowed,
        )
        cache = CachedSecretStore(traced, CacheConfig(ttl_seconds=60), self.clock, lambda: 0.0)
        answer = replace(
            self.answer,
            audit=TracedAuditTrail(self.audit, names_allowed=self.names_allowed),
            fetch=FetchSecret(cache if self.cached else traced, self.clock),
        )
        self.handler = TracedRequestHandler(
            answer, tracer, self.clock, system="nats", destinations=DESTINATIONS
        )

    @override
    async def send(self, body: bytes, host_xkey: str | None, max_reply: int | None = None) -> Reply:
        return await self.handler.handle(self.request(body, host_xkey, max_reply))


def span_of(event: AuditEvent, *, names_allowed: bool = False) -> ReadableSpan:
    """Record an event inside a span, and return the span."""
    spans = RecordedSpans()
    trail = TracedAuditTrail(FakeAuditTrail(), names_allowed=names_allowed)
    with spans.tracer.start_as_current_span("request"):
        trail.record(event)
    return spans.only
