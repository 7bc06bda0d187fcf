"""A slow or hanging tenant is bounded, and what it answers too late is refused at once."""

from __future__ import annotations

import pytest

from adapters.upstream.failures import Busy
from adapters.upstream.pace import SLOW_SECONDS, Pace
from domain.model.errors import RateLimited
from tests.unit.adapters.upstream.admission_rig import Rig, outcomes, pass_time, settle


async def test_of_a_slow_folder_what_would_be_late_is_refused_after_one_round() -> None:
    rig = Rig(slots=7)
    rig.takes = 3.0
    reads = [rig.read(f"K{n}", folder="/slow") for n in range(100)]
    await settle()
    assert len(rig.sent) == 4

    await pass_time(rig, 3.25)

    answered, refusals = await outcomes(reads)
    assert answered == 4
    assert len(refusals) >= 85
    assert all(isinstance(refusal, Busy) for refusal in refusals)
    times = {refusal.retry_after or 0.0 for refusal in refusals}
    assert min(times) > 5.0
    assert max(times) == 60.0
    assert len(times) > 10
    await pass_time(rig, 8.0)
    assert (await outcomes(reads))[0] == 8


async def test_a_new_request_for_a_slow_folder_is_refused_on_arrival_and_others_are_not() -> None:
    rig = Rig(slots=3)
    rig.takes = 3.5
    reads = [rig.read(f"K{n}", folder="/slow", seconds=30.0) for n in range(8)]
    await pass_time(rig, 7.25)
    late = rig.read("LATE", folder="/slow", seconds=4.0)
    other = rig.read("KEY", folder="/quick", seconds=4.0)
    await settle()

    with pytest.raises(Busy):
        await late
    assert "/quick/KEY" in rig.sent
    await pass_time(rig, 30.0)
    assert (await outcomes([other, *reads]))[0] == 9


async def test_a_quick_store_refuses_no_request_for_its_pace() -> None:
    rig = Rig(slots=3)
    rig.takes = SLOW_SECONDS / 2
    reads = [rig.read(f"K{n}", folder="/quick") for n in range(60)]

    await pass_time(rig, 7.75)

    answered, refusals = await outcomes(reads)
    assert (answered, refusals) == (60, [])


async def test_calls_that_hang_until_their_deadline_count_with_that_time() -> None:
    rig = Rig(slots=3)
    rig.hang.clear()
    reads = [rig.read(f"K{n}", folder="/hangs", seconds=90.0) for n in range(20)]
    await settle()
    rig.clock.advance(8.0)
    for read in reads[:2]:
        read.cancel()
    await settle()

    with pytest.raises(Busy):
        await rig.read("LATE", folder="/hangs", seconds=5.0)
    rig.hang.set()
    await outcomes(reads)


async def test_a_request_that_waited_in_vain_is_told_ten_seconds_at_least() -> None:
    rig = Rig(slots=1)
    rig.hang.clear()
    slow = rig.read("SLOW", seconds=60.0)
    await settle()
    late = rig.read("LATE", seconds=2.0)
    await settle()
    rig.clock.advance(2.0)

    with pytest.raises(RateLimited) as refusal:
        await late

    assert refusal.value.retry_after == 10.0
    rig.hang.set()
    await slow


def test_the_wait_is_the_position_in_rounds_of_the_median() -> None:
    pace = Pace(share=4)
    for seconds in (2.0, 2.0, 9.0):
        pace.ended("slow", seconds)

    assert [pace.wait("slow", position) for position in (0, 3, 4, 8)] == [2.0, 2.0, 4.0, 6.0]


def test_a_quick_call_says_that_a_slow_tenant_is_quick_again_until_calls_are_slow_again() -> None:
    pace = Pace(share=4)
    for _ in range(15):
        pace.ended("healed", 3.0)
    before = pace.wait("healed", 8)
    pace.ended("healed", SLOW_SECONDS / 2)
    after = pace.wait("healed", 8)
    for _ in range(3):
        pace.ended("healed", 2.0)

    assert (before, after, pace.wait("healed", 8)) == (9.0, 0.0, 6.0)


def test_too_few_calls_say_nothing_and_neither_do_quick_ones() -> None:
    pace = Pace(share=4)
    for _ in range(2):
        pace.ended("new", 5.0)
    for _ in range(10):
        pace.ended("quick", SLOW_SECONDS / 2)

    assert (pace.wait("new", 50), pace.wait("quick", 50), pace.wait("unknown", 50)) == (0, 0, 0)


def test_the_tenants_remembered_are_bounded() -> None:
    pace = Pace(share=1)
    pace.ended("first", 5.0)
    for number in range(1000):
        pace.ended(number, 5.0)

    assert pace.wait("first", 0) == 0.0
    assert pace.wait(999, 0) == 5.0
