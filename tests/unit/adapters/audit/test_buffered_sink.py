"""The bounded buffer: order, bounds, what full means, and outages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.audit.sink import DeliveryFailedError, OnFull
from domain.model.audit import Outcome
from tests.contracts.audit import ANSWERED, REFUSED, ids, numbered
from tests.support.settling import settle
from tests.unit.adapters.audit.buffer_rig import DOWN, sink_of

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock


async def test_what_arrives_together_is_written_in_batches(clock: FakeClock) -> None:
    sink = sink_of(clock)
    for event in numbered(25):
        sink.record(event)
    await sink.start()
    await sink.aclose()

    assert sink.batches == [10, 10, 5]


async def test_an_event_is_written_without_waiting_for_more(clock: FakeClock) -> None:
    sink = sink_of(clock)
    await sink.start()
    sink.record(ANSWERED)
    await settle()

    assert (sink.arrived, sink.waiting) == ([ANSWERED.request_id], 0)
    await sink.aclose()


async def test_after_a_failure_the_rest_is_tried_again_in_order(clock: FakeClock) -> None:
    sink = sink_of(clock)
    sink.failures = [DeliveryFailedError("disk_full", 3), DOWN, RuntimeError("a bug")]
    events = numbered(25)
    for event in events:
        sink.record(event)
    await sink.start()
    for _ in range(4):
        await settle()
        clock.advance(2)
    await settle()

    assert sink.arrived == ids(events)
    await sink.aclose()


async def test_an_outage_is_logged_once_and_its_end_with_what_it_cost(clock: FakeClock) -> None:
    sink = sink_of(clock, OnFull.DROP, max_bytes=1)
    with capture_logs() as logs:
        sink.broken = DOWN
        await sink.start()
        sink.record(ANSWERED)
        for _ in range(5):
            await settle()
            clock.advance(2)
        sink.record(ANSWERED)
        sink.broken = None
        await settle()
        clock.advance(2)
        await settle()
        await sink.aclose()

    assert [log["event"] for log in logs] == [
        "audit.memory_failed",
        "audit.memory_dropping",
        "audit.memory_recovered",
    ]
    assert (logs[0]["reason"], logs[0]["waiting"]) == ("disk_full", 1)
    assert (logs[2]["reason"], logs[2]["seconds"], logs[2]["dropped"]) == ("disk_full", 10, 1)


async def test_an_unforeseen_failure_names_its_type_and_not_its_text(clock: FakeClock) -> None:
    sink = sink_of(clock)
    sink.failures = [RuntimeError("canary")]
    with capture_logs() as logs:
        await sink.start()
        sink.record(ANSWERED)
        await settle()
        clock.advance(2)
        await settle()
        await sink.aclose()

    assert logs[0]["reason"] == "unexpected_RuntimeError"
    assert "canary" not in repr(logs)
    assert sink.arrived == [ANSWERED.request_id]


async def test_a_full_buffer_refuses_until_there_is_room(clock: FakeClock) -> None:
    sink = sink_of(clock, OnFull.REFUSE, max_bytes=1500)
    sink.gate.clear()
    await sink.start()
    sink.record(ANSWERED)
    assert sink.accepts()
    sink.record(ANSWERED)
    assert not sink.accepts()

    sink.gate.set()
    await settle()

    assert sink.accepts()
    await sink.aclose()


async def test_while_refusing_the_event_of_a_secret_that_left_is_kept_and_no_other(
    clock: FakeClock,
) -> None:
    sink = sink_of(clock, OnFull.REFUSE, max_bytes=1)
    sink.gate.clear()
    await sink.start()
    in_flight = numbered(3)
    for event in in_flight:
        sink.record(event)
    sink.record(REFUSED)
    sink.record(replace(ANSWERED, outcome=Outcome.CANCELLED))
    sink.record(replace(ANSWERED, operation="server_xkey", caller=None))
    sink.gate.set()
    await sink.aclose()

    assert sink.arrived == ids(in_flight)
    assert sink.dropped == 3


async def test_a_full_buffer_that_drops_goes_on_accepting_and_counts(clock: FakeClock) -> None:
    sink = sink_of(clock, OnFull.DROP, max_bytes=1500)
    sink.gate.clear()
    await sink.start()
    with capture_logs() as logs:
        for event in numbered(102):
            sink.record(event)
            assert sink.accepts()
        clock.advance(10)
        sink.record(ANSWERED)
    sink.gate.set()
    await sink.aclose()

    assert sink.arrived == ids(numbered(2))
    assert sink.dropped == 101
    assert [(log["event"], log["dropped"]) for log in logs] == [
        ("audit.memory_dropping", 1),
        ("audit.memory_dropping", 101),
    ]


@pytest.mark.parametrize(
    ("on_full", "refuse_while_failing", "accepts"),
    [
        (OnFull.REFUSE, True, False),
        (OnFull.REFUSE, False, True),
        (OnFull.DROP, True, True),
    ],
)
async def test_whether_a_failing_sink_refuses_at_once(
    clock: FakeClock, on_full: OnFull, refuse_while_failing: bool, accepts: bool
) -> None:
    sink = sink_of(clock, on_full, refuse_while_failing=refuse_while_failing)
    sink.failures = [DOWN]
    await sink.start()
    sink.record(ANSWERED)
    await settle()
    assert sink.failing
    assert sink.accepts() is accepts

    clock.advance(2)
    await settle()

    assert sink.accepts()
    assert not sink.failing
    await sink.aclose()
