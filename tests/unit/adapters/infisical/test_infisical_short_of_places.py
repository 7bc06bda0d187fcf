"""Connections are short: who would be answered too late hears so, and when to come back."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.infisical.places import Places
from adapters.infisical.shortage import LOOK_SECONDS, SURELY, Shortage
from tests.fakes.clock import FakeClock
from tests.unit.adapters.infisical.paced_world import (
    DEADLINE,
    PLACES,
    SHARE,
    Asked,
    End,
    folder_of_reads,
    play,
)

HANGING = 1000.0


def refused(ends: list[End]) -> list[End]:
    return [end for end in ends if not end.answered]


def told(end: End) -> int:
    found = re.search(r"try again in ([0-9]+) second", end.refusal or "")
    assert found, end.refusal
    return int(found[1])


def in_the_middle(ends: list[End]) -> float:
    return sorted(end.after for end in ends)[len(ends) // 2]


@pytest.mark.parametrize(
    ("count", "takes", "can_be", "within"), [(200, 3.0, 20, 2.25), (400, 0.5, 160, 1.25)]
)
def test_of_a_slow_folder_all_are_answered_that_can_be_and_most_others_refused_at_once(
    count: int, takes: float, can_be: int, within: float
) -> None:
    ends = play(folder_of_reads(count, takes))

    late = refused(ends)
    assert len(ends) - len(late) == can_be
    assert in_the_middle(late) <= within
    assert sum(end.refusal == "timed out" for end in late) <= SHARE
    assert sum("too slow for all that is asked" in str(end.refusal) for end in late) >= 170


def test_all_but_a_few_are_refused_within_two_reads_of_three_seconds() -> None:
    late = refused(play(folder_of_reads(200, 3.0)))

    assert sum(end.after < 2 * 3.0 for end in late) >= len(late) - SHARE


def test_a_hanging_folder_is_known_before_any_of_its_reads_ends() -> None:
    ends = play(Asked(f"K{n}", HANGING, at=n / 512) for n in range(2000))

    late = ends[SHARE:]
    assert not any(end.answered for end in ends)
    assert in_the_middle(late) <= 1.0
    assert all(end.after < DEADLINE for end in late)
    assert {told(end) for end in late} <= set(range(30, 61))


def test_others_go_at_once_while_a_folder_hangs() -> None:
    siege = [Asked(f"K{n}", HANGING, at=n / 64) for n in range(400)]
    others = [Asked(f"K{n}", 0.0625, at=n / 16, folder=f"/other{n % 3}") for n in range(100)]

    ends = play(sorted([*siege, *others], key=lambda asked: asked.at))

    of_others = [end for end in ends if end.asked.folder != "/slow"]
    assert all(end.answered and end.after <= 0.125 for end in of_others)


def test_a_folder_that_only_looks_slow_for_its_first_second_refuses_nobody() -> None:
    first = folder_of_reads(SHARE, 1.0)
    rest = [Asked(f"L{number}", 0.125) for number in range(400)]

    assert not refused(play([*first, *rest]))


@pytest.mark.parametrize("rest", [0.0625, 0.1875])
def test_a_store_that_stands_still_for_a_second_refuses_nobody(rest: float) -> None:
    count = int(6.0 / rest) * SHARE
    script = [Asked(f"K{n}", rest if n // SHARE != 4 else 1.0) for n in range(count)]

    assert not refused(play(script))


def test_one_slow_read_among_quick_ones_refuses_nobody() -> None:
    quick = [Asked(f"K{n}", 0.0625, at=n / 128) for n in range(800)]
    slow = [Asked("SLOW", 7.0, at=1.0)]

    assert not refused(play(sorted([*quick, *slow], key=lambda asked: asked.at)))


@pytest.mark.parametrize("places", [1, 2, 3])
def test_nor_does_it_where_it_holds_the_only_place(places: int) -> None:
    quick = [Asked(f"K{n}", 0.0625, at=n / 16) for n in range(16)]
    slow = [Asked("SLOW", 5.0, at=1.0)]
    after = [Asked(f"L{n}", 0.0625, at=1.0 + n / 16) for n in range(16)]

    assert not refused(play([*quick, *slow, *after], places=places))


def test_where_many_folders_share_all_places_a_place_may_be_known_to_come_too_late() -> None:
    many = [Asked(f"K{n}", 1.0, folder=f"/{folder}") for n in range(20) for folder in range(30)]

    ends, patient = play(many), play(many, patient=True)

    assert sum(end.answered for end in ends) >= sum(end.answered for end in patient)
    assert in_the_middle(refused(ends)) <= 2.5
    assert in_the_middle(refused(patient)) == pytest.approx(DEADLINE, abs=0.1)


def test_a_folder_of_which_nothing_is_known_waits_for_its_first_reads() -> None:
    hanging = [
        Asked(f"K{n}", HANGING, folder=f"/{folder}") for folder in range(5) for n in range(9)
    ]
    unknown = [Asked(f"U{n}", 0.0625, at=3.0, folder="/unknown") for n in range(5)]

    ends = play([*hanging, *unknown])

    assert all(end.answered for end in ends[-5:])


def test_who_is_refused_is_told_when_a_place_is_expected_one_after_the_other() -> None:
    ends = play(folder_of_reads(500, 0.5))

    times = [told(end) for end in refused(ends)]
    assert min(times) >= 4
    assert max(times) <= 30
    assert len(set(times)) > 10
    assert all(times.count(seconds) <= 3 * SHARE / 0.5 for seconds in times)


def test_whoever_comes_back_when_told_is_answered() -> None:
    takes = 0.5
    rush = refused(play(folder_of_reads(400, takes)))
    again = [Asked(end.asked.secret, takes, at=end.after + told(end)) for end in rush]

    ends = play(sorted([*folder_of_reads(400, takes), *again], key=lambda asked: asked.at))

    assert not refused(ends[400:])


def test_a_second_is_told_in_the_singular() -> None:
    shortage = Shortage(FakeClock(), Places(PLACES))

    assert shortage.refusal("folder").advice.endswith("and try again in 1 second.")


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 150),
    takes=st.sampled_from([0.125, 0.375, 0.75, 1.25, 1.75, 2.5, 3.25, 4.5, 6.5]),
    places=st.integers(1, PLACES),
    spread=st.sampled_from([0.0, 0.5, 4.0]),
)
def test_with_reads_that_take_the_same_nobody_is_refused_who_would_have_been_answered(
    count: int, takes: float, places: int, spread: float
) -> None:
    script = [Asked(f"K{n}", takes, at=spread * n / count) for n in range(count)]

    ends = play(script, places=places)
    patient = play(script, places=places, patient=True)

    for end, would_be in zip(ends, patient, strict=True):
        assert end.answered or not would_be.answered


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 150),
    takes=st.sampled_from([0.5, 1.0, 1.5, 2.0, 2.5]),
    share=st.integers(4, SHARE),
)
def test_with_reads_that_take_the_same_whoever_is_far_too_late_is_refused_within_two_of_them(
    count: int, takes: float, share: int
) -> None:
    two_reads = 2 * takes

    ends = play(folder_of_reads(count, takes), places=2 * share - 1)

    for number, end in enumerate(ends):
        answered_at = (number // share + 1) * takes
        if two_reads + SURELY * (answered_at - two_reads) > DEADLINE:
            assert end.after <= two_reads + 2 * LOOK_SECONDS


@settings(max_examples=25, deadline=None)
@given(
    script=st.lists(
        st.builds(
            Asked,
            secret=st.sampled_from([f"K{n}" for n in range(40)]),
            takes=st.just(0.0),
            at=st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 5.0]),
            folder=st.sampled_from(["/a", "/b", "/c"]),
        ),
        max_size=120,
    ),
    of_a=st.sampled_from([0.125, 1.0, 3.0]),
    of_b=st.sampled_from([0.5, 2.0]),
)
def test_nor_is_anybody_where_folders_of_different_pace_contend(
    script: list[Asked], of_a: float, of_b: float
) -> None:
    takes = {"/a": of_a, "/b": of_b, "/c": 0.0625}
    script = [Asked(who.secret, takes[who.folder], who.at, who.folder) for who in script]
    script.sort(key=lambda asked: asked.at)

    ends, patient = play(script, places=5), play(script, places=5, patient=True)

    answered = sum(end.answered for end in ends)
    assert answered >= sum(end.answered for end in patient)


def test_reads_of_differing_length_refuse_hardly_anybody_who_would_have_been_answered() -> None:
    chance = random.Random(5)
    wrongly = answered = 0
    for _ in range(5):
        script = [Asked(f"K{n}", 0.5 * chance.uniform(0.5, 1.5)) for n in range(400)]
        patient = play(script, patient=True)
        answered += sum(end.answered for end in patient)
        wrongly += sum(
            would_be.answered and not end.answered
            for end, would_be in zip(play(script), patient, strict=True)
        )

    assert wrongly <= 0.01 * answered
