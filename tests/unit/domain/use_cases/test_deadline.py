"""Work that waits for nothing needs no timer; all other work ends at its deadline."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.use_cases.deadline import finish_by
from ports.clock import Clock
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class CountedClock(Clock):
    """A fake clock that counts the timers which were set, and in no event loop sets none."""

    def __init__(self) -> None:
        self.fake = FakeClock()
        self.timers = 0

    @override
    def now(self) -> float:
        return self.fake.now()

    @override
    def monotonic(self) -> float:
        return self.fake.monotonic()

    @override
    async def sleep(self, seconds: float) -> None:
        await self.fake.sleep(seconds)

    @override
    def timeout_at(self, deadline: float) -> AbstractAsyncContextManager[object]:
        self.timers += 1
        return self.fake.timeout_at(deadline) if _in_a_loop() else contextlib.nullcontext()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.fixture
def clock() -> CountedClock:
    return CountedClock()


async def test_work_that_need_not_wait_sets_no_timer(clock: CountedClock) -> None:
    async def work() -> str:
        return "at once"

    assert await finish_by(clock.monotonic() + 1, clock, work()) == "at once"
    assert clock.timers == 0


async def test_an_error_before_the_first_wait_comes_as_it_is(clock: CountedClock) -> None:
    async def work() -> str:
        raise LookupError("missing")

    with pytest.raises(LookupError, match="missing") as caught:
        await finish_by(clock.monotonic() + 1, clock, work())
    assert caught.value.__context__ is None


async def test_work_may_wait_again_and_again(clock: CountedClock) -> None:
    async def work() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "in the end")
        result: str = await future
        return result

    assert await finish_by(clock.monotonic() + 1, clock, work()) == "in the end"
    assert clock.timers == 1


async def test_an_error_after_a_wait_comes_as_it_is(clock: CountedClock) -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        raise LookupError("missing")

    with pytest.raises(LookupError, match="missing"):
        await finish_by(clock.monotonic() + 1, clock, work())


async def test_the_error_of_what_it_waits_for_is_the_works_to_handle(clock: CountedClock) -> None:
    failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        with contextlib.suppress(ConnectionError):
            await failing
        return "handled"

    asyncio.get_running_loop().call_soon(failing.set_exception, ConnectionError())

    assert await finish_by(clock.monotonic() + 1, clock, work()) == "handled"


async def test_at_the_deadline_the_work_is_cancelled(clock: CountedClock) -> None:
    ended = asyncio.Event()

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    task = asyncio.create_task(finish_by(clock.monotonic() + 1, clock, work()))
    await asyncio.sleep(0)
    clock.fake.advance(2)

    with pytest.raises(TimeoutError):
        await task
    assert ended.is_set()


async def test_a_cancellation_from_outside_may_wait_for_cleaning_up(clock: CountedClock) -> None:
    steps: list[str] = []

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")
        return "never"

    task = asyncio.create_task(finish_by(clock.monotonic() + 1, clock, work()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cleaned up"]


def test_dropping_it_half_way_closes_the_work(clock: CountedClock) -> None:
    closed: list[bool] = []

    async def work() -> str:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)
        return "never"

    waiting = finish_by(clock.monotonic() + 1, clock, work())
    waiting.send(None)
    waiting.close()

    assert closed == [True]
