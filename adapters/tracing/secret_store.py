"""The secret store port, decorated: one span for every call that is really made."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import SpanKind, StatusCode
from typing_extensions import override

from adapters.tracing import attributes as known
from adapters.tracing.attributes import code, is_own_failure, shown
from domain.model.errors import RequestError
from domain.use_cases.fetch_secret import DEADLINE_PASSED
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span, Tracer

    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret

ANSWERED: Final = "answered"
REFUSED: Final = "refused"
TIMED_OUT: Final = "timed_out"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"


class TracedSecretStore(SecretStore):
    """Passes everything on to `inner`, each call inside a span of kind CLIENT.

    Put directly around the store, inside cache and breaker: a request that is answered from memory,
    refused by the breaker or joins a call under way has no such span. Its parent is the request
    that began the call, which may be answered, and its span ended, before the call ends.

    Args:
        store: the name of the kind of store, such as "infisical".
        server: `server.address` and `server.port`, where they are known.
        names_allowed: whether spans may hold the secret's path.
    """

    def __init__(
        self,
        inner: SecretStore,
        tracer: Tracer,
        *,
        store: str,
        server: Mapping[str, str | int],
        names_allowed: bool,
    ) -> None:
        self._inner = inner
        self._tracer = tracer
        self._span_name = f"fetch {store}"
        self._common: dict[str, str | int] = {known.STORE: store, **server}
        self._names_allowed = names_allowed

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        attributes = dict(self._common)
        if self._names_allowed:
            attributes[known.PATH] = shown(query.location.path)
        with self._tracer.start_as_current_span(
            self._span_name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                secret = await self._inner.fetch(query)
            except RequestError as error:
                _tell_error(span, error)
                raise
            except CancelledError:
                span.set_attribute(known.OUTCOME, CANCELLED)
                raise
            except Exception as error:
                _tell_failure(span, FAILED, type(error).__name__)
                raise
            span.set_attribute(known.OUTCOME, ANSWERED)
            _tell_request_id(span, secret.upstream_request_id)
        return secret


def _tell_error(span: Span, error: RequestError) -> None:
    name = error.wire_name
    if error.reason == DEADLINE_PASSED:
        _tell_failure(span, TIMED_OUT, TIMED_OUT)
    elif is_own_failure(name, error.reason):
        _tell_failure(span, FAILED, name)
    else:
        span.set_attribute(known.OUTCOME, REFUSED)
    span.set_attribute(known.ERROR, name)
    span.set_attribute(known.REASON, code(error.reason))
    _tell_request_id(span, error.upstream_request_id)


def _tell_failure(span: Span, outcome: str, error_type: str) -> None:
    span.set_attribute(known.OUTCOME, outcome)
    span.set_attribute(known.ERROR_TYPE, error_type)
    span.set_status(StatusCode.ERROR)


def _tell_request_id(span: Span, upstream_request_id: str | None) -> None:
    if upstream_request_id is not None:
        span.set_attribute(known.UPSTREAM_REQUEST_ID, shown(upstream_request_id))
