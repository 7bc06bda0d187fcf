"""One span a read for a workload of wasmCloud 2: how it ended, and nothing that names a secret."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from opentelemetry.trace import SpanKind, StatusCode

from adapters.tracing.request_handler import TracedAuditTrail, TracedWorkloadReads
from bootstrap.projection.deliveries import DeliveryTrail
from domain.model.errors import UpstreamError
from domain.model.secret_uri import parse_secret_uri
from tests.support.workloads import CART, Reads
from tests.unit.adapters.tracing.recorded_spans import RecordedSpans, attributes_of

WANTED = parse_secret_uri("secret://canary/db?field=password")


class Traced:
    """Reads on fakes, traced as the service traces them."""

    def __init__(self, *, names_allowed: bool = False) -> None:
        self.reads = Reads()
        self.reads.store.put("/canary/db", '{"password": "s3cr3t-value"}')
        self.spans = RecordedSpans()
        # As `project` and `exec` record: a read that ends as the one before leaves no event.
        trail = TracedAuditTrail(DeliveryTrail(self.reads.audit), names_allowed=names_allowed)
        self.read = TracedWorkloadReads(replace(self.reads.read, audit=trail), self.spans.tracer)

    async def get(self) -> None:
        """Read the secret, within 8 seconds."""
        await self.read(CART, WANTED, self.reads.clock.monotonic() + 8)


async def test_a_read_is_one_span_that_says_how_it_ended_and_names_nothing() -> None:
    traced = Traced()

    await traced.get()

    span = traced.spans.only
    assert (span.name, span.kind, span.parent) == ("workload.read", SpanKind.INTERNAL, None)
    assert attributes_of(span) == {
        "rpc.system.name": "wasmcloud.secrets",
        "rpc.method": "workload.read",
        "request_id": traced.reads.event.request_id,
        "outcome": "answered",
        "reason": traced.reads.event.reason,
        "served_from": "store",
    }


async def test_a_read_that_the_audit_trail_passes_over_says_all_the_same_how_it_ended() -> None:
    traced = Traced()

    await traced.get()
    await traced.get()

    assert len(traced.reads.audit.events) == 1
    assert [attributes_of(span)["outcome"] for span in traced.spans.all] == ["answered"] * 2


async def test_a_store_that_fails_is_an_error_of_the_span() -> None:
    traced = Traced()
    traced.reads.store.failure = UpstreamError("down", reason="infisical_unreachable")

    await traced.get()

    span = traced.spans.only
    assert span.status.status_code is StatusCode.ERROR
    assert attributes_of(span)["error.type"] == "UpstreamError"


async def test_names_stand_in_the_span_only_where_they_may_and_the_value_never() -> None:
    traced = Traced(names_allowed=True)

    await traced.get()

    attributes = attributes_of(traced.spans.only)
    assert (attributes["key"], attributes["field"]) == ("canary/db", "password")
    assert (attributes["workload"], attributes["workload_namespace"]) == (CART.name, CART.namespace)
    assert "s3cr3t-value" not in traced.spans.only.to_json()


async def test_a_read_that_is_given_up_is_a_span_as_well() -> None:
    traced = Traced()
    traced.reads.store.gate.clear()
    task = asyncio.create_task(traced.get())
    await traced.reads.store.asked.wait()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert attributes_of(traced.spans.only)["outcome"] == "cancelled"
