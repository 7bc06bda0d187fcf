"""The core's port, decorated: one span for every request, whatever its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanKind, set_span_in_context
from typing_extensions import override

from adapters.tracing import attributes as known
from domain.model.transport import Operation, Reply
from ports.transport import RequestHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from opentelemetry.trace import Span, Tracer

    from domain.model.transport import Request
    from ports.clock import Clock

RPC_SYSTEM_NAME: Final = "wasmcloud.secrets"
_NANOSECONDS: Final = 1_000_000_000
_NO_PARENT: Final = Context()
"""Tasks inherit the context they were made in; a request is never part of another."""


@dataclass(frozen=True, slots=True)
class MessagingNames:
    """Where requests come in.

    Attributes:
        system: the transport's name in OpenTelemetry's terms, such as "nats".
        destinations: the subject of each operation.
    """

    system: str
    destinations: Mapping[str, str]


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
        # Each attribute costs some microseconds a request, so there is none to spare.
        common = {known.RPC_SYSTEM: RPC_SYSTEM_NAME, known.MESSAGING_SYSTEM: messaging.system}
        self._common = {
            str(operation): common
            | {
                known.RPC_METHOD: str(operation),
                known.MESSAGING_DESTINATION: messaging.destinations[operation],
            }
            for operation in Operation
        }
        # The caller chooses the text of an unknown operation, so spans do not carry it.
        self._unknown = common | {known.RPC_METHOD: known.OTHER}

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        span = self._start(request)
        begun: Reply | Coroutine[Any, Any, Reply] | None = None
        token = attach(set_span_in_context(span, _NO_PARENT))
        try:
            begun = self._inner.begin(request)
        finally:
            detach(token)
            if begun is None or isinstance(begun, Reply):
                span.end()
        return begun if isinstance(begun, Reply) else _await(begun, span)

    @override
    def refuse(self, request: Request, reason: str) -> Reply:
        span = self._start(request)
        token = attach(set_span_in_context(span, _NO_PARENT))
        try:
            return self._inner.refuse(request, reason)
        finally:
            detach(token)
            span.end()

    def _start(self, request: Request) -> Span:
        common = self._common.get(request.operation, self._unknown)
        waited = self._clock.monotonic() - request.received_at
        span = self._tracer.start_span(
            common[known.RPC_METHOD],
            _NO_PARENT,
            SpanKind.SERVER,
            common,
            start_time=int((self._clock.now() - waited) * _NANOSECONDS),
            record_exception=False,
            set_status_on_exception=False,
        )
        if span.is_recording():
            span.set_attribute(known.MESSAGING_BODY_SIZE, len(request.body))
        return span


async def _await(begun: Coroutine[Any, Any, Reply], span: Span) -> Reply:
    token = attach(set_span_in_context(span, _NO_PARENT))
    try:
        return await begun
    finally:
        detach(token)
        span.end()
