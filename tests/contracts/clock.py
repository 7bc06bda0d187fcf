"""What every clock does: run by the fake and by the machine's own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ports.clock import Clock

TICK = 0.002
LONG = 3600.0


class ClockContract(ABC):
    """Subclass it in a test module; `TICK` is the longest it ever waits."""

    @abstractmethod
    def clock(self) -> Clock:
        """Return the clock under test; the same one throughout a test."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Let that much of the clock's time go by."""

    async def test_monotonic_time_moves_with_time_and_never_back(self) -> None:
        start = self.clock().monotonic()
        await self.pass_time(TICK)

        assert self.clock().monotonic() >= start + TICK / 2

    async def test_now_is_in_seconds_since_the_epoch(self) -> None:
        assert 1_700_000_000 < self.clock().now() < 4_000_000_000

    async def test_a_sleep_ends_after_its_time(self) -> None:
        clock = self.clock()
        start = clock.monotonic()
        sleep = asyncio.create_task(clock.sleep(TICK))
        await asyncio.sleep(0)
        assert not sleep.done()

        await self.pass_time(TICK)
        await sleep

        assert clock.monotonic() >= start + TICK / 2

    @pytest.mark.parametrize("seconds", [0, -1])
    async def test_a_sleep_of_no_time_lets_others_run_and_returns(self, seconds: float) -> None:
        others: list[str] = []
        asyncio.get_running_loop().call_soon(others.append, "ran")

        await self.clock().sleep(seconds)

        assert others == ["ran"]

    async def test_a_block_that_ends_before_the_deadline_is_left_alone(self) -> None:
        async with self.clock().timeout_at(self.clock().monotonic() + LONG):
            await asyncio.sleep(0)

    async def test_a_block_still_running_at_the_deadline_leaves_with_timeout_error(self) -> None:
        clock = self.clock()
        block = asyncio.create_task(self.block(clock.monotonic() + TICK))
        await asyncio.sleep(0)
        assert not block.done()

        await self.pass_time(TICK)

        with pytest.raises(TimeoutError):
            await block

    async def test_a_deadline_in_the_past_ends_the_block_where_it_first_waits(self) -> None:
        with pytest.raises(TimeoutError):
            await self.block(self.clock().monotonic() - TICK)

    async def test_a_cancellation_from_outside_passes_through_as_it_is(self) -> None:
        block = asyncio.create_task(self.block(self.clock().monotonic() + LONG))
        await asyncio.sleep(0)
        block.cancel()

        with pytest.raises(asyncio.CancelledError):
            await block

    async def test_of_two_nested_deadlines_the_nearer_one_ends_its_own_block_only(self) -> None:
        clock = self.clock()
        now = clock.monotonic()
        left_inner = False

        async def nested() -> None:
            nonlocal left_inner
            async with clock.timeout_at(now + LONG):
                with pytest.raises(TimeoutError):
                    await self.block(now + TICK)
                left_inner = True

        task = asyncio.create_task(nested())
        await asyncio.sleep(0)
        await self.pass_time(TICK)
        await task

        assert left_inner

    async def block(self, deadline: float) -> None:
        async with self.clock().timeout_at(deadline):
            await asyncio.Event().wait()
