"""The end of the bounded buffer: what is written still, for how long, and what is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.audit.sink import OnFull
from tests.contracts.audit import ANSWERED, numbered
from tests.support.settling import settle
from tests.unit.adapters.audit.buffer_rig import DOWN, sink_of

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock


async def test_closing_waits_for_what_is_being_written(clock: FakeClock) -> None:
    sink = sink_of(clock)
    sink.gate.clear()
    await sink.start()
    sink.record(ANSWERED)
    closing = asyncio.create_task(sink.aclose())
    await settle()
    assert not closing.done()

    sink.gate.set()
    await closing

    assert (sink.arrived, sink.closed) == ([ANSWERED.request_id], 1)


async def test_closing_during_an_outage_tries_once_more_at_once(clock: FakeClock) -> None:
    sink = sink_of(clock)
    sink.failures = [DOWN]
    await sink.start()
    sink.record(ANSWERED)
    await settle()

    await sink.aclose()

    assert sink.arrived == [ANSWERED.request_id]


async def test_closing_gives_up_after_its_grace_period_and_counts_the_loss(
    clock: FakeClock,
) -> None:
    sink = sink_of(clock)
    sink.broken = DOWN
    await sink.start()
    for event in numbered(3):
        sink.record(event)
    await settle()
    with capture_logs() as logs:
        closing = asyncio.create_task(sink.aclose())
        while not closing.done():
            await settle()
            clock.advance(0.5)

    assert logs[-1] == {
        "event": "audit.memory_lost",
        "log_level": "error",
        "events": 3,
        "dropped": 3,
    }
    assert not sink.accepts()


async def test_a_cancelled_close_leaves_no_writer_behind(clock: FakeClock) -> None:
    sink = sink_of(clock)
    sink.gate.clear()
    await sink.start()
    sink.record(ANSWERED)
    closing = asyncio.create_task(sink.aclose())
    await settle()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await settle()

    assert not [task for task in asyncio.all_tasks() if task.get_name() == "audit-writer"]


async def test_closing_what_never_started_counts_what_was_waiting(clock: FakeClock) -> None:
    sink = sink_of(clock, OnFull.DROP)
    sink.record(ANSWERED)
    await sink.aclose()

    assert sink.dropped == 1
    assert sink.accepts()
