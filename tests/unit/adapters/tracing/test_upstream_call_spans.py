"""One span for each call that is really made, below the request that began it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from typing_extensions import override

from adapters.tracing.secret_store import TracedSecretStore
from adapters.upstream.bounded_store import BoundedSecretStore
from domain.model.errors import (
    InvalidRequest,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.fake_outages import FakeOutages
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.unit.adapters.tracing.recorded_spans import (
    SERVER,
    RecordedSpans,
    TracedCore,
    attributes_of,
)

if TYPE_CHECKING:
    from ports.secret_store import SecretStore


class Upstream:
    """A traced store on a fake one that holds `/known`."""

    def __init__(self, *, names_allowed: bool = False) -> None:
        self.clock, self.spans, self.inner = FakeClock(), RecordedSpans(), FakeSecretStore()
        self.inner.put("/known", "value")
        self.store = TracedSecretStore(
            BoundedSecretStore(self.inner, self.clock),
            self.spans.tracer,
            store="infisical",
            server=SERVER,
            names_allowed=names_allowed,
        )

    def query(self) -> SecretQuery:
        """Return a query for `/known`, to be answered within 8 seconds."""
        location = self.store.locate(SecretReference("known"))
        return SecretQuery(location, None, CALLER, self.clock.monotonic() + 8)


class TestTracedSecretStore(FakeOutages):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self.upstream = Upstream()
        self.inner, self.clock = self.upstream.inner, self.upstream.clock

    @override
    def store(self) -> SecretStore:
        return self.upstream.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        path = self.upstream.store.locate(SecretReference(key)).path
        return self.upstream.inner.put(path, value)

    @override
    def deadline(self) -> float:
        return self.upstream.clock.monotonic() + 8


async def test_a_call_is_a_client_span_that_says_whom_it_asked() -> None:
    upstream = Upstream()

    await upstream.store.fetch(upstream.query())

    span = upstream.spans.only
    assert (span.name, span.kind) == ("fetch infisical", SpanKind.CLIENT)
    assert attributes_of(span) == {"store": "infisical", "outcome": "answered", **SERVER}


async def test_the_path_stands_there_only_where_names_are_allowed() -> None:
    upstream = Upstream(names_allowed=True)

    await upstream.store.fetch(upstream.query())

    assert attributes_of(upstream.spans.only)["path"] == "/known"


@pytest.mark.parametrize(
    ("error", "outcome", "error_type"),
    [
        (SecretNotFound("a", upstream_request_id="u1"), "refused", None),
        (Unauthorized("a", upstream_request_id="u1"), "refused", None),
        (InvalidRequest("a", upstream_request_id="u1"), "refused", None),
        (UpstreamError("a", upstream_request_id="u1"), "failed", "UpstreamError"),
        (RuntimeError("canary"), "failed", "RuntimeError"),
    ],
)
async def test_a_failed_call_says_how_and_passes_the_very_error_on(
    error: Exception, outcome: str, error_type: str | None
) -> None:
    upstream = Upstream()
    upstream.inner.failure = error

    with pytest.raises(type(error)) as raised:
        await upstream.store.fetch(upstream.query())

    span = upstream.spans.only
    attributes = attributes_of(span)
    assert raised.value is error
    assert attributes["outcome"] == outcome
    assert attributes.get("error.type") == error_type
    expected = StatusCode.UNSET if error_type is None else StatusCode.ERROR
    assert span.status.status_code is expected
    assert not span.events
    assert "canary" not in span.to_json()
    if error_type != "RuntimeError":
        assert attributes["upstream_request_id"] == "u1"


async def test_a_call_that_somebody_gave_up_is_no_error() -> None:
    upstream = Upstream()
    upstream.inner.gate.clear()
    fetch = asyncio.create_task(upstream.store.fetch(upstream.query()))
    await upstream.inner.asked.wait()

    fetch.cancel()
    await asyncio.gather(fetch, return_exceptions=True)

    assert attributes_of(upstream.spans.only)["outcome"] == "cancelled"
    assert upstream.spans.only.status.status_code is StatusCode.UNSET


async def test_a_call_that_ends_at_its_deadline_timed_out() -> None:
    upstream = Upstream()
    upstream.inner.gate.clear()
    fetch = asyncio.create_task(upstream.store.fetch(upstream.query()))
    await upstream.inner.asked.wait()

    upstream.clock.advance(8)
    with pytest.raises(UpstreamError):
        await fetch

    assert attributes_of(upstream.spans.only)["outcome"] == "timed_out"
    assert upstream.spans.only.status.status_code is StatusCode.ERROR


async def test_a_call_stands_below_the_request_that_began_it_also_through_the_cache() -> None:
    core = TracedCore(cached=True)
    core.store.put("/KEY", "value")

    await core.get("KEY")

    (request,), (call,) = core.spans.named("get"), core.spans.named("fetch infisical")
    assert call.parent is not None
    assert call.parent.span_id == request.context.span_id
    assert call.context.trace_id == request.context.trace_id


async def test_an_answer_from_memory_has_no_call() -> None:
    core = TracedCore(cached=True)
    core.store.put("/KEY", "value")

    await core.get("KEY")
    await core.get("KEY")

    assert len(core.spans.named("fetch infisical")) == 1
    first, second = core.spans.named("get")
    assert attributes_of(first)["served_from"] == "store"
    assert attributes_of(second)["served_from"] == "cache"


async def test_of_requests_that_share_a_call_only_the_first_has_it() -> None:
    core = TracedCore(cached=True)
    core.store.put("/KEY", "value")
    core.store.gate.clear()
    requests = [asyncio.create_task(core.get("KEY")) for _ in range(3)]
    await core.store.asked.wait()

    core.store.gate.set()
    await asyncio.gather(*requests)

    (call,) = core.spans.named("fetch infisical")
    assert len(core.spans.named("get")) == 3
    assert call.parent is not None
    assert call.parent.span_id in {span.context.span_id for span in core.spans.named("get")}
