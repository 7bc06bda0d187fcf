"""The core's port, decorated: one span for every request, whatever its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from typing_extensions import override

from adapters.tracing import attributes as known
from domain.model.transport import Operation
from ports.transport import RequestHandler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, Tracer

    from domain.model.transport import Reply, Request
    from ports.clock import Clock

RPC_SYSTEM_NAME: Final = "wasmcloud.secrets"
_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MessagingNames:
    """Where requests come in.

    Attributes:
        system: the transport's name in OpenTelemetry's terms, such as "nats".
        destinations: the subject of each operation.
        group: the queue group that all replicas share.
    """

    system: str
    destinations: Mapping[str, str]
    group: str


class TracedRequestHandler(RequestHandler):
    """Passes every request on to `inner` inside a span of its own.

    The host waits for its reply, so the span's kind is SERVER although a message brought it. It
    begins when the request arrived. `TracedAuditTrail` fills in how the request ended.
    """

    def __init__(
        self, inner: RequestHandler, tracer: Tracer, clock: Clock, messaging: MessagingNames
    ) -> None:
        self._inner = inner
        self._tracer = tracer
        self._clock = clock
        common = {
            known.RPC_SYSTEM: RPC_SYSTEM_NAME,
            known.MESSAGING_SYSTEM: messaging.system,
            known.MESSAGING_OPERATION: "process",
            known.MESSAGING_GROUP: messaging.group,
        }
        self._common = {
            str(operation): common
            | {
                known.RPC_METHOD: str(operation),
                known.MESSAGING_DESTINATION: messaging.destinations[operation],
            }
            for operation in Operation
        }
        # A subject that nobody knows was chosen by whoever asks.
        self._unknown = common | {known.RPC_METHOD: known.OTHER}

    @override
    async def handle(self, request: Request) -> Reply:
        with self._span_of(request):
            return await self._inner.handle(request)

    @override
    def refuse(self, request: Request, reason: str) -> Reply:
        with self._span_of(request):
            return self._inner.refuse(request, reason)

    def _span_of(self, request: Request) -> AbstractContextManager[Span]:
        common = self._common.get(request.operation, self._unknown)
        waited = self._clock.monotonic() - request.received_at
        return self._tracer.start_as_current_span(
            common[known.RPC_METHOD],
            # Tasks inherit the context they were made in; a request is never part of another.
            context=Context(),
            kind=SpanKind.SERVER,
            attributes={**common, known.MESSAGING_BODY_SIZE: len(request.body)},
            start_time=int((self._clock.now() - waited) * _NANOSECONDS),
            record_exception=False,
            set_status_on_exception=False,
        )
