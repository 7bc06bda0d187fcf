"""The bounded buffer: order, bounds, what full means, outages and the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.audit.buffered import AuditLine, BufferedSink, BufferLimits, DeliveryFailedError
from adapters.audit.sink import OnFull
from domain.model.audit import Outcome
from tests.contracts.audit import ANSWERED, REFUSED, ids, numbered
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemorySink(BufferedSink):
    """Writes to a list; fails as often as a test says.

    Attributes:
        failures: raised by the next deliveries, first to last.
        broken: raised by every delivery while set.
        gate: deliveries wait here while it is cleared.
    """

    def __init__(
        self, clock: FakeClock, limits: BufferLimits, *, refuse_while_failing: bool = False
    ) -> None:
        super().__init__(
            "memory", clock, limits, max_batch=10, refuse_while_failing=refuse_while_failing
        )
        self.arrived: list[str] = []
        self.batches: list[int] = []
        self.failures: list[Exception] = []
        self.broken: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = 0

    @override
    async def _open(self) -> None:
        """Nothing to open."""

    @override
    async def _deliver(self, batch: Sequence[AuditLine]) -> None:
        await self.gate.wait()
        failure = self.broken or (self.failures.pop(0) if self.failures else None)
        arriving = batch
        if failure is not None:
            arriving = batch[: getattr(failure, "delivered", 0)]
        self.batches.append(len(arriving))
        self.arrived += [line.request_id for line in arriving]
        if failure is not None:
            raise failure

    @override
    async def _close(self) -> None:
        self.closed += 1
        raise OSError("closing fails too")


DOWN = DeliveryFailedError("disk_full")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def sink_of(
    clock: FakeClock,
    on_full: OnFull = OnFull.REFUSE,
    max_bytes: int = 10_000_000,
    *,
    refuse_while_failing: bool = False,
) -> MemorySink:
    limits = BufferLimits(max_bytes=max_bytes, on_full=on_full, grace_seconds=5)
    return MemorySink(clock, limits, refuse_while_failing=refuse_while_failing)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


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


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 byte"):
        BufferLimits(max_bytes=0)
    with pytest.raises(ValueError, match="grace"):
        BufferLimits(grace_seconds=-1)
