"""What counts as a worker's silence, and what does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bootstrap.workers.lifeline import (
    BEAT,
    SILENT_SECONDS,
    STARTED,
    STARTING_SILENT_SECONDS,
    UNSERVED,
    SignsOfLife,
    beat,
)
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker:
    """What a supervisor has of a worker."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.reader = asyncio.StreamReader()
        self.signs = SignsOfLife(self.reader, self.clock)

    async def let_pass(self, seconds: float, *, beating: bool = False) -> None:
        for _ in range(int(seconds * 2)):
            if beating:
                self.reader.feed_data(BEAT)
            self.clock.advance(0.5)
            await settle()

    async def ceasing(self) -> asyncio.Task[bool]:
        watching = asyncio.create_task(self.signs.ceased())
        await settle()
        return watching


async def test_six_seconds_without_a_sign_are_silence_and_fewer_are_not() -> None:
    worker = Worker()
    watching = await worker.ceasing()
    for _ in range(3):
        await worker.let_pass(SILENT_SECONDS - 0.5)
        assert not watching.done()
        await worker.let_pass(0.5, beating=True)

    await worker.let_pass(SILENT_SECONDS)

    assert await watching is True
    # It stays so.
    assert await worker.signs.ceased() is True


async def test_minutes_of_signs_are_a_life() -> None:
    worker = Worker()
    watching = await worker.ceasing()

    await worker.let_pass(600, beating=True)

    assert not watching.done()
    watching.cancel()


@pytest.mark.parametrize("hours", [0.001, 1, 100])
async def test_time_in_which_the_supervisor_itself_stood_still_does_not_count(
    hours: float,
) -> None:
    worker = Worker()
    watching = await worker.ceasing()

    for _ in range(20):
        # Almost silent already, as far as the supervisor was awake to see.
        await worker.let_pass(SILENT_SECONDS - 1.5)
        worker.clock.advance(hours * 3600)
        await settle()
    assert not watching.done()
    await worker.let_pass(SILENT_SECONDS)

    assert await watching is True


async def test_signs_that_waited_while_the_supervisor_was_held_up_count() -> None:
    worker = Worker()
    watching = await worker.ceasing()

    for _ in range(3):
        worker.clock.advance(3600)
        worker.reader.feed_data(BEAT * 300)
        await worker.let_pass(SILENT_SECONDS - 0.5)

    assert not watching.done()
    watching.cancel()


async def test_the_start_is_told_apart_from_the_signs_around_it() -> None:
    worker = Worker()
    starting = asyncio.create_task(worker.signs.started())
    await worker.let_pass(600, beating=True)
    assert not starting.done()

    worker.reader.feed_data(BEAT + STARTED + BEAT)

    assert await starting is True


async def test_a_worker_that_starts_may_be_silent_for_a_minute() -> None:
    worker = Worker()
    starting = asyncio.create_task(worker.signs.started())
    await settle()

    await worker.let_pass(STARTING_SILENT_SECONDS - 0.5)
    assert not starting.done()
    await worker.let_pass(0.5)

    assert await starting is False
    assert await worker.signs.ceased() is True


@pytest.mark.parametrize(
    "end",
    [
        asyncio.StreamReader.feed_eof,
        lambda reader: reader.set_exception(ConnectionResetError()),
    ],
)
async def test_a_closed_end_is_no_silence(end: Callable[[asyncio.StreamReader], None]) -> None:
    worker = Worker()
    starting = asyncio.create_task(worker.signs.started())
    await settle()

    end(worker.reader)

    assert await starting is False
    assert await worker.signs.ceased() is False


async def test_a_sign_is_given_once_a_second() -> None:
    clock, given = FakeClock(), list[float]()
    beating = asyncio.create_task(
        beat(lambda _: given.append(clock.monotonic()), clock, lambda: None)
    )
    await settle()

    for _ in range(6):
        clock.advance(0.5)
        await settle()

    assert [at - given[0] for at in given] == [0, 1, 2, 3]
    beating.cancel()


async def test_a_sign_says_whether_hosts_would_be_answered_and_the_latest_counts() -> None:
    clock, given = FakeClock(), list[bytes]()
    problems: list[str | None] = [None, "refused", "refused", None]
    beating = asyncio.create_task(beat(given.append, clock, lambda: problems.pop(0)))
    worker = Worker()
    watching = await worker.ceasing()
    served = [worker.signs.is_served]

    for _ in range(4):
        await settle()
        worker.reader.feed_data(given[-1])
        clock.advance(1)
        await settle()
        served.append(worker.signs.is_served)

    assert given == [BEAT, UNSERVED, UNSERVED, BEAT]
    assert served == [True, True, False, False, True]
    beating.cancel()
    watching.cancel()
