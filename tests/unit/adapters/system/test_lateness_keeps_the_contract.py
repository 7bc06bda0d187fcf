"""The event loop's lateness and the fake keep the same contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.system.lateness import KEPT_SECONDS, TICK_SECONDS, TOLERATED_SECONDS, LoopLateness
from tests.contracts.lateness import LatenessContract
from tests.fakes.clock import FakeClock
from tests.fakes.lateness import FakeLateness

if TYPE_CHECKING:
    from collections.abc import Callable


class TestFakeLateness(LatenessContract):
    clock: FakeClock
    lateness: FakeLateness

    @pytest.fixture(autouse=True)
    def fake(self) -> None:
        self.clock = FakeClock()
        self.lateness = FakeLateness(self.clock)

    @override
    def run_on_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @override
    def hold_up(self, seconds: float) -> None:
        began = self.now()
        self.clock.advance(seconds)
        self.lateness.note(began, self.now())


class HandLoop:
    """An event loop whose one timer rings when a test moves the clock to its time."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._callback: Callable[[], None] | None = None
        self._due = 0.0

    def call_later(self, delay: float, callback: Callable[[], None]) -> HandLoop:
        self._callback, self._due = callback, self._clock.monotonic() + delay
        return self

    def cancel(self) -> None:
        self._callback = None

    def run(self, until: float) -> None:
        """Make each call at its time."""
        while self._callback is not None and self._due <= until:
            self._clock.advance(max(0.0, self._due - self._clock.monotonic()))
            self._callback()
        self._clock.advance(until - self._clock.monotonic())


class TestLoopLateness(LatenessContract):
    clock: FakeClock
    lateness: LoopLateness

    @pytest.fixture(autouse=True)
    def loop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock()
        self.hand = HandLoop(self.clock)
        hand: Any = self.hand
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: hand)
        self.lateness = LoopLateness(self.clock)
        self.lateness.start()

    @override
    def run_on_time(self, seconds: float) -> None:
        self.hand.run(self.now() + seconds)

    @override
    def hold_up(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.hand.run(self.now())

    def test_a_hold_up_counts_before_the_loop_runs_again(self) -> None:
        began = self.now()
        self.clock.advance(3.0)

        assert self.lateness.late_seconds(began) == pytest.approx(3.0 - TICK_SECONDS)

    def test_the_delay_of_ordinary_timers_does_not_count(self) -> None:
        began = self.now()
        for _ in range(100):
            self.clock.advance(TICK_SECONDS + TOLERATED_SECONDS / 2)
            self.hand.run(self.now())

        assert self.lateness.late_seconds(began) == 0
        assert self.lateness.total_seconds == 0

    def test_the_total_counts_what_is_long_past_and_the_history_does_not(self) -> None:
        self.hold_up(4.0)
        self.run_on_time(KEPT_SECONDS + 5.0)

        assert self.lateness.total_seconds == pytest.approx(4.0 - TICK_SECONDS)
        assert self.lateness.late_seconds(self.now() - 100.0) == 0

    def test_once_stopped_it_measures_no_more(self) -> None:
        self.lateness.stop()
        self.hold_up(5.0)

        assert self.lateness.total_seconds == 0
        assert self.lateness.late_seconds(self.now() - 5.0) == 0


async def test_a_callback_that_blocks_the_loop_is_lateness() -> None:
    clock = FakeClock()
    measured = LoopLateness(clock)
    measured.start()
    try:
        clock.advance(2.0)
        async with asyncio.timeout(30):
            while measured.total_seconds == 0:  # noqa: ASYNC110  no event tells of a tick
                await asyncio.sleep(0.001)
    finally:
        measured.stop()

    assert measured.total_seconds == pytest.approx(2.0 - TICK_SECONDS)
