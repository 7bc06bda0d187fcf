"""What counts as a worker's silence, and what does not."""

from __future__ import annotations

import asyncio

from bootstrap.workers.heartbeat import BEAT, SILENT_SECONDS, beat, fell_silent
from tests.fakes.clock import FakeClock


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def let_pass(clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds * 2):
        clock.advance(0.5)
        await settle()


async def test_twelve_seconds_without_a_sign_are_silence_and_fewer_are_not() -> None:
    clock, signs = FakeClock(), asyncio.StreamReader()
    watching = asyncio.create_task(fell_silent(signs, clock))
    await settle()
    for _ in range(3):
        await let_pass(clock, int(SILENT_SECONDS) - 2)
        assert not watching.done()
        signs.feed_data(BEAT)
        await settle()

    await let_pass(clock, int(SILENT_SECONDS) + 1)

    assert await watching is True


async def test_signs_that_waited_while_the_supervisor_was_held_up_count() -> None:
    clock, signs = FakeClock(), asyncio.StreamReader()
    watching = asyncio.create_task(fell_silent(signs, clock))
    await settle()

    for _ in range(3):
        clock.advance(3600)
        signs.feed_data(BEAT * 3600)
        await let_pass(clock, 4)

    assert not watching.done()
    watching.cancel()


async def test_a_closed_end_is_no_silence() -> None:
    for end in (asyncio.StreamReader.feed_eof, lambda r: r.set_exception(ConnectionResetError())):
        signs = asyncio.StreamReader()
        watching = asyncio.create_task(fell_silent(signs, FakeClock()))
        await settle()

        end(signs)

        assert await watching is False


async def test_a_sign_is_given_once_a_second() -> None:
    clock, given = FakeClock(), list[float]()
    beating = asyncio.create_task(beat(lambda: given.append(clock.monotonic()), clock))
    await settle()

    await let_pass(clock, 3)

    assert [at - given[0] for at in given] == [0, 1, 2, 3]
    beating.cancel()
