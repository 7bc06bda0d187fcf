"""The machine's clock and the fake keep the same contract."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from adapters.system.clock import SystemClock
from tests.contracts.clock import ClockContract
from tests.fakes.clock import FakeClock


class TestSystemClock(ClockContract):
    @override
    def clock(self) -> SystemClock:
        return SystemClock()

    @override
    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def test_one_instance_serves_several_loops(self) -> None:
        clock = SystemClock()

        async def block() -> None:
            async with clock.timeout_at(clock.monotonic() - 1):
                await asyncio.Event().wait()

        for _ in range(2):
            with pytest.raises(TimeoutError):
                asyncio.run(block())


class TestFakeClock(ClockContract):
    @pytest.fixture(autouse=True)
    def fake(self) -> None:
        self.fake_clock = FakeClock()

    @override
    def clock(self) -> FakeClock:
        return self.fake_clock

    @override
    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.fake_clock.advance(seconds)
