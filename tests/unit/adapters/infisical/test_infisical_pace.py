"""How long reads take, told from a few of them: rather too short than too long."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.infisical.pace import FEW, UNKNOWN, Estimate, Pace, PacedRead
from adapters.infisical.shortage import SURELY

PLACES = 10


def pace_of(*ended: float, now: float = 1000.0) -> Pace:
    """A pace that knows reads of that many seconds, which ended before."""
    pace = Pace(PLACES)
    for seconds in ended:
        read = PacedRead(now - 100, now - 100)
        pace.begin(read)
        read.lasted, read.over = seconds, True
        pace.end(read)
    return pace


def hang(pace: Pace, *since: float, now: float = 1000.0) -> Pace:
    """The same with reads under way for that many seconds."""
    for seconds in since:
        pace.begin(PacedRead(now - seconds, now - seconds))
    return pace


def test_nothing_is_known_without_any_read() -> None:
    assert Pace(PLACES).estimate(1000.0) == UNKNOWN


@given(
    seconds=st.floats(0.01, 20.0),
    ended=st.integers(1, 40),
    under_way=st.lists(st.floats(0.0, 1.0), max_size=PLACES),
)
def test_reads_that_all_take_the_same_are_known_exactly(
    seconds: float, ended: int, under_way: list[float]
) -> None:
    pace = hang(pace_of(*[seconds] * ended), *(seconds * part for part in under_way))

    assert pace.estimate(1000.0).seconds == pytest.approx(seconds)


def test_reads_that_have_never_ended_take_as_long_as_they_have_lasted_but_for_a_second() -> None:
    pace = hang(pace_of(), *[4.0] * PLACES)

    assert pace.estimate(1000.0) == Estimate(3.0, hangs=True)
    assert pace.estimate(1002.0).seconds == pytest.approx(5.0)
    assert pace.estimate(997.0) == UNKNOWN


def test_a_store_that_stands_still_for_a_second_is_not_known_as_slow() -> None:
    pace = hang(pace_of(*[0.05] * 500), *[1.0] * PLACES)

    assert pace.estimate(1000.0).seconds == pytest.approx(0.05)


def test_a_second_of_the_first_reads_is_not_held_against_them() -> None:
    pace = Pace(PLACES)
    for _ in range(PLACES):
        read = PacedRead(990.0, 990.0, is_first=True)
        pace.begin(read)
        read.lasted, read.over = 3.0, True
        pace.end(read)

    assert pace.estimate(1000.0).seconds == pytest.approx(2.0)


def test_a_folder_that_was_quick_and_hangs_is_known_as_slow() -> None:
    pace = hang(pace_of(*[0.05] * 500), *[5.0] * PLACES)

    assert pace.estimate(1000.0).hangs
    assert pace.estimate(1000.0).seconds == pytest.approx(2.1, abs=0.1)


def test_a_folder_that_hung_is_known_as_quick_once_it_answers_again() -> None:
    pace = pace_of(*[8.0] * 500, *[0.05] * PLACES)

    assert pace.estimate(1000.0) == Estimate(0.05, hangs=False)


@pytest.mark.parametrize("slow", [1, 2, 3])
def test_a_few_slow_reads_among_quick_ones_do_not_count_for_all(slow: int) -> None:
    pace = hang(pace_of(*[0.05] * FEW), *[8.0] * slow)

    assert pace.estimate(1000.0).seconds == pytest.approx(0.05)


def test_slow_reads_that_take_turns_with_quick_ones_do_not_count_alone() -> None:
    pace = pace_of(*[3.0, 3.0, 0.05] * 10)

    assert pace.estimate(1000.0).seconds == pytest.approx(2.0, abs=0.3)


def test_a_read_given_up_before_its_end_says_only_that_it_took_no_less() -> None:
    pace = pace_of(*[5.0] * 10)
    read = PacedRead(999.0, 999.0)
    pace.begin(read)
    read.lasted = 1.0
    pace.end(read)

    assert pace.estimate(1000.0).seconds == pytest.approx(5.0)


@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_what_reads_of_differing_length_take_is_rarely_overrated(spread: float) -> None:
    chance = random.Random(7)
    pace = Pace(PLACES)
    under_way: list[tuple[float, PacedRead]] = []
    estimates: list[float] = []
    for tick in range(4000):
        now = tick / 32
        for at, read in [entry for entry in under_way if entry[0] <= now]:
            read.lasted, read.over = at - read.began, True
            pace.end(read)
            under_way.remove((at, read))
        while len(under_way) < PLACES:
            read = PacedRead(now, now)
            pace.begin(read)
            under_way.append((now + chance.uniform(1 - spread, 1 + spread), read))
        if now > 3.0:
            estimates.append(pace.estimate(now).seconds)

    assert 0.8 < sum(estimates) / len(estimates) < 1.05
    assert sum(SURELY * estimate > 1.0 for estimate in estimates) == 0
