"""A timer that is set again and again."""

from __future__ import annotations

import asyncio
import math

from adapters.infisical.alarm import Alarm
from tests.fakes.clock import FakeClock
from tests.unit.adapters.infisical.gate_rig import settle


async def test_it_rings_once_at_the_earliest_time_it_was_set_to() -> None:
    clock, rung = FakeClock(), list[float]()
    alarm = Alarm(clock, "alarm", rung.append)
    now = clock.monotonic()
    for at in (now + 5.0, now + 2.0, now + 9.0):
        alarm.set(at)
    assert alarm.at == now + 2.0

    for _ in range(10):
        await settle()
        clock.advance(1.0)
    await settle()

    assert rung == [now + 2.0]
    assert alarm.at == math.inf


async def test_whatever_rings_may_set_it_again() -> None:
    clock, rung = FakeClock(), list[float]()

    def ring(at: float) -> None:
        rung.append(at)
        if len(rung) < 3:
            alarm.set(at + 1.0)

    alarm = Alarm(clock, "alarm", ring)
    alarm.set(clock.monotonic() + 1.0)
    for _ in range(5):
        await settle()
        clock.advance(1.0)
    await settle()

    assert rung == [1001.0, 1002.0, 1003.0]


async def test_once_closed_it_rings_no_more() -> None:
    clock, rung = FakeClock(), list[float]()
    alarm = Alarm(clock, "alarm", rung.append)
    alarm.set(clock.monotonic() + 1.0)
    await settle()
    await alarm.aclose()
    clock.advance(2.0)
    await settle()

    assert not rung
    assert len(asyncio.all_tasks()) == 1
