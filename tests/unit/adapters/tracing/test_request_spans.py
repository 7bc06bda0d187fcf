"""One span a request, which says how the request ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from adapters.tracing.request_handler import TracedAuditTrail
from domain.model.audit import Outcome
from domain.model.errors import UpstreamError
from domain.model.transport import Operation, Request
from tests.contracts.audit import REFUSED, AuditInMemoryContract
from tests.fakes.audit import FakeAuditTrail
from tests.unit.adapters.tracing.recorded_spans import SUBJECT, TracedCore, attributes_of, span_of


class TestTracedAuditTrail(AuditInMemoryContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self.inner = FakeAuditTrail()
        self.trail = TracedAuditTrail(self.inner, names_allowed=True)


async def test_a_request_is_one_server_span_that_says_how_it_ended() -> None:
    core = TracedCore()
    core.store.put("/KEY", "value")

    await core.get("KEY")

    (span,) = core.spans.named("get")
    assert span.kind is SpanKind.SERVER
    assert span.parent is None
    assert span.status.status_code is StatusCode.UNSET
    attributes = attributes_of(span)
    assert attributes.pop("messaging.message.body.size") in range(100, 1000)
    assert attributes == {
        "rpc.system.name": "wasmcloud.secrets",
        "rpc.method": "get",
        "messaging.system": "nats",
        "messaging.destination.name": f"{SUBJECT}get",
        "request_id": core.event.request_id,
        "outcome": "answered",
        "reason": core.event.reason,
        "served_from": "store",
        "server_key": "current",
    }


async def test_a_span_begins_when_the_request_arrived() -> None:
    core = TracedCore()
    core.clock.advance(1)
    arrived = Request(Operation.SERVER_XKEY, b"", None, core.clock.monotonic() - 0.5)

    await core.handler.handle(arrived)

    assert core.spans.only.start_time == int((core.clock.now() - 0.5) * 1e9)


async def test_a_request_is_never_part_of_what_its_task_was_begun_in() -> None:
    core = TracedCore()
    with core.spans.tracer.start_as_current_span("something else"):
        await core.handler.handle(Request(Operation.SERVER_XKEY, b"", None, 0.0))

    (span,) = core.spans.named("server_xkey")
    assert span.parent is None


def test_a_refusal_for_overload_is_a_span_and_the_services_failure() -> None:
    core = TracedCore()

    core.handler.refuse(core.request(b"", None), "overloaded")

    attributes = attributes_of(core.spans.only)
    assert (attributes["outcome"], attributes["reason"]) == ("refused", "overloaded")
    assert core.spans.only.status.status_code is StatusCode.ERROR


async def test_a_request_given_up_is_a_span_as_well() -> None:
    core = TracedCore()
    core.store.gate.clear()
    task = asyncio.create_task(core.get("KEY"))
    await core.store.asked.wait()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    (span,) = core.spans.named("get")
    assert attributes_of(span)["outcome"] == "cancelled"
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        ("UpstreamError", "infisical_unreachable", StatusCode.ERROR),
        ("EncryptionError", "encryption_failed", StatusCode.ERROR),
        ("Other", "unexpected", StatusCode.ERROR),
        ("Other", "overloaded", StatusCode.ERROR),
        ("Other", "audit_unavailable", StatusCode.ERROR),
        ("Other", "reply_too_large", StatusCode.ERROR),
        ("Other", "replayed", StatusCode.UNSET),
        ("Other", "unknown_operation", StatusCode.UNSET),
        ("Unauthorized", "issuer_not_trusted", StatusCode.UNSET),
        ("SecretNotFound", "secret_not_found", StatusCode.UNSET),
        ("DecryptionError", "decryption_failed", StatusCode.UNSET),
        ("PolicyError", "policy_error", StatusCode.UNSET),
    ],
)
def test_only_failures_of_the_service_and_its_store_are_errors(
    error: str, reason: str, status: StatusCode
) -> None:
    span = span_of(replace(REFUSED, error=error, reason=reason))

    assert span.status.status_code is status
    assert span.status.description is None
    assert attributes_of(span)["error"] == error
    assert attributes_of(span).get("error.type") == (error if status is StatusCode.ERROR else None)


async def test_no_exception_stands_in_a_span() -> None:
    core = TracedCore()
    core.store.failure = RuntimeError("canary")

    await core.get("KEY")

    assert len(core.spans.all) == 2
    for span in core.spans.all:
        assert span.status.status_code is StatusCode.ERROR
        assert not span.events
        assert "canary" not in span.to_json()


async def test_a_request_that_is_not_sampled_costs_no_span_for_its_calls_either() -> None:
    core = TracedCore(sample_ratio=0.0)
    core.store.put("/KEY", "value")

    await core.get("KEY")

    assert core.spans.all == ()
    assert core.event.outcome is Outcome.ANSWERED


async def test_an_upstream_failure_is_an_error_of_both_spans() -> None:
    core = TracedCore()
    core.store.failure = UpstreamError("a", reason="infisical_timed_out", upstream_request_id="u1")

    await core.get("KEY")

    request, call = core.spans.named("get")[0], core.spans.named("fetch infisical")[0]
    assert request.status.status_code is call.status.status_code is StatusCode.ERROR
    assert attributes_of(request)["reason"] == attributes_of(call)["reason"]
    assert attributes_of(call)["upstream_request_id"] == "u1"
