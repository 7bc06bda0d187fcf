"""The audit trail port, decorated: a request's span learns how the request ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import StatusCode, get_current_span
from typing_extensions import override

from adapters.tracing import attributes as known
from adapters.tracing.attributes import code, is_own_failure, shown
from domain.model.identity import Caller
from domain.model.workload import Workload
from ports.audit import AuditTrail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.model.audit import AuditEvent


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
