"""The core's ports, decorated: one span for every request, which learns how the request ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanKind, StatusCode, get_current_span, set_span_in_context
from typing_extensions import override

from adapters.tracing import attributes as known
from adapters.tracing.attributes import code, is_own_failure, shown
from domain.model.identity import Caller
from domain.model.transport import WORKLOAD_READ, Operation, Reply
from domain.model.workload import Workload
from ports.audit import AuditTrail
from ports.transport import RequestHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from opentelemetry.trace import Span, Tracer

    from domain.model.audit import AuditEvent
    from domain.model.secret_uri import SecretUri
    from domain.model.transport import Request
    from domain.use_cases.read_for_workload import ReadsForWorkloads, WorkloadRead
    from ports.clock import Clock

RPC_SYSTEM_NAME: Final = "wasmcloud.secrets"
_NANOSECONDS: Final = 1_000_000_000
_NO_PARENT: Final = Context()
"""Tasks inherit the context they were made in; a request is never part of another."""


class TracedRequestHandler(RequestHandler):
    """Passes every request on to `inner` inside a span of its own.

    The host waits for its reply, so the span's kind is SERVER although a message brought it. It
    begins when the request arrived. `TracedAuditTrail` fills in how the request ended.

    Args:
        system: the transport's name in OpenTelemetry's terms, such as "nats".
        destinations: the subject of each operation.
    """

    def __init__(
        self,
        inner: RequestHandler,
        tracer: Tracer,
        clock: Clock,
        *,
        system: str,
        destinations: Mapping[str, str],
    ) -> None:
        self._inner = inner
        self._tracer = tracer
        self._clock = clock
        # Each attribute costs some microseconds a request, so there is none to spare.
        common = {known.RPC_SYSTEM: RPC_SYSTEM_NAME, known.MESSAGING_SYSTEM: system}
        self._common = {
            str(operation): common
            | {
                known.RPC_METHOD: str(operation),
                known.MESSAGING_DESTINATION: destinations[operation],
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


@final
class TracedWorkloadReads:
    """Passes every read on to `inner` inside a span of its own.

    This process decides when it reads, so the span's kind is INTERNAL. Reads of one start run at
    the same time, and each is a trace of its own, as requests are. `TracedAuditTrail` fills in how
    the read ended.
    """

    def __init__(self, inner: ReadsForWorkloads, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def __call__(
        self, workload: Workload, wanted: SecretUri, deadline: float
    ) -> WorkloadRead:
        """Read as `inner` does."""
        with self._tracer.start_as_current_span(
            WORKLOAD_READ,
            context=_NO_PARENT,
            kind=SpanKind.INTERNAL,
            attributes={known.RPC_SYSTEM: RPC_SYSTEM_NAME, known.RPC_METHOD: WORKLOAD_READ},
            record_exception=False,
            set_status_on_exception=False,
        ):
            return await self._inner(workload, wanted, deadline)


class TracedAuditTrail(AuditTrail):
    """Passes everything on to `inner`, and tells the current span what an event says.

    The core records a request's one event while it handles the request, so that the span of
    `TracedRequestHandler` is the current one. `names_allowed`: whether spans may name the secret
    and the caller. They never hold a value, a token or a policy property.
    """

    def __init__(self, inner: AuditTrail, *, names_allowed: bool) -> None:
        self._inner = inner
        self._names_allowed = names_allowed

    @override
    def accepts(self) -> bool:
        return self._inner.accepts()

    @override
    def record(self, event: AuditEvent) -> None:
        self._inner.record(event)
        span = get_current_span()
        if not span.is_recording():
            return
        attributes = dict(_outcome(event))
        if self._names_allowed:
            attributes.update((name, shown(text)) for name, text in _names(event) if text)
        if event.error is not None and is_own_failure(event.error, event.reason):
            attributes[known.ERROR_TYPE] = event.error
            span.set_status(StatusCode.ERROR)
        span.set_attributes(attributes)


def _outcome(event: AuditEvent) -> Iterator[tuple[str, str]]:
    yield known.REQUEST_ID, event.request_id
    yield known.OUTCOME, event.outcome.value
    yield known.REASON, code(event.reason)
    if event.error is not None:
        yield known.ERROR, event.error
    if event.served_from is not None:
        yield known.SERVED_FROM, code(event.served_from)
    if event.server_key is not None:
        yield known.SERVER_KEY, event.server_key.value


def _names(event: AuditEvent) -> Iterator[tuple[str, str | None]]:
    yield known.KEY, event.key
    yield known.FIELD, event.field
    yield known.GRANT, event.grant
    if event.location is not None:
        yield known.PATH, event.location.path
    match event.caller:
        case Caller() as caller:
            yield known.ENTITY, caller.entity.subject
            yield known.ENTITY_NAME, caller.entity.name
            yield known.APPLICATION, caller.application
        case Workload() as workload:
            yield known.WORKLOAD, workload.name
            yield known.WORKLOAD_NAMESPACE, workload.namespace
        case None:
            pass
