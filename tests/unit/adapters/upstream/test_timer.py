"""A timer that is set again and again."""

from __future__ import annotations

import asyncio
import math

from adapters.upstream.background import Timer
from tests.fakes.clock import FakeClock
from tests.support.settling import settle


async def test_it_calls_back_once_at_the_earliest_time_it_was_set_to() -> None:
    clock, rung = FakeClock(), list[float]()
    timer = Timer(clock, "timer", lambda: rung.append(clock.monotonic()))
    now = clock.monotonic()
    for at in (now + 5.0, now + 2.0, now + 9.0):
        timer.set(at)
    assert timer.at == now + 2.0

    for _ in range(10):
        await settle()
        clock.advance(1.0)
    await settle()

    assert rung == [now + 2.0]
    assert timer.at == math.inf


async def test_what_it_calls_may_set_it_again() -> None:
    clock, rung = FakeClock(), list[float]()

    def ring() -> None:
        at = clock.monotonic()
        rung.append(at)
        if len(rung) < 3:
            timer.set(at + 1.0)

    timer = Timer(clock, "timer", ring)
    timer.set(clock.monotonic() + 1.0)
    for _ in range(5):
        await settle()
        clock.advance(1.0)
    await settle()

    assert rung == [1001.0, 1002.0, 1003.0]


async def test_once_closed_it_calls_back_no_more() -> None:
    clock, rung = FakeClock(), list[float]()
    timer = Timer(clock, "timer", lambda: rung.append(clock.monotonic()))
    timer.set(clock.monotonic() + 1.0)
    await settle()
    await timer.aclose()
    clock.advance(2.0)
    await settle()

    assert not rung
    assert len(asyncio.all_tasks()) == 1
