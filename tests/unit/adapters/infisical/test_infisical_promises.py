"""The account of what refused reads were told: bounded, shared between folders, over in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from adapters.infisical.promises import (
    KEEP_SECONDS,
    MAX_PROMISES,
    NextPlace,
    Promise,
    Promises,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

NOW = 1000.0


def tell(promises: Promises, secret: Hashable, since: float = NOW + 60.0, index: int = 0) -> float:
    """Promise a place and return the time told."""
    return promises.make(secret, "folder", NextPlace(index, since, NOW), math.inf)


def made(promises: Promises, secret: str, since: float = NOW + 60.0, index: int = 0) -> Promise:
    tell(promises, secret, since, index)
    promise = promises.of(secret)
    assert promise is not None
    return promise


def fill(promises: Promises, folder: str, number: int, bound: float) -> int:
    """Ask for so many places and return how many the folder was promised."""
    before = len(promises)
    for secret in range(number):
        promises.make((folder, secret), folder, NextPlace(0, NOW + 60.0, NOW), bound)
    return len(promises) - before


def test_no_place_is_told_before_those_promised_earlier() -> None:
    promises = Promises()
    tell(promises, "A")

    assert tell(promises, "B", NOW + 59.0) == NOW + 60.0


def test_for_each_minute_beyond_the_first_a_second_more_is_told() -> None:
    promises = Promises()

    told = [tell(promises, number, NOW + 60.0 * number) - NOW for number in range(5)]

    assert told == [0.0, 60.0, 121.0, 182.0, 243.0]


def test_a_place_left_to_who_waits_already_is_promised_to_nobody() -> None:
    promises = Promises()
    made(promises, "A")

    # Two wait for the places behind the first; then one of them waits no more.
    second = made(promises, "B", index=3)
    third = made(promises, "C", index=3)

    assert (promises.before(second), promises.before(third)) == (3, 4)
    assert (promises.span, promises.later) == (5, 3)


def test_a_place_is_kept_from_when_it_comes_free_until_seconds_after_the_time_told() -> None:
    promises = Promises()
    promise = made(promises, "A", NOW + 120.0)
    promises.roll(NOW + 119.9)
    assert (promises.due, promises.later) == (0, 1)

    promises.roll(NOW + 120.0)
    assert (promises.due, promises.later) == (1, 0)
    assert promises.next_end == promises.last_end == promise.at + KEEP_SECONDS
    promises.roll(promise.at + KEEP_SECONDS)

    assert (promises.due, promises.later, len(promises)) == (0, 0, 0)


def test_a_place_given_up_moves_nobody_to_another_and_is_not_kept() -> None:
    promises = Promises()
    first, second = made(promises, "A"), made(promises, "B")

    promises.end(first)

    assert promises.before(second) == 1
    assert promises.later == 2
    promises.roll(NOW + 60.0)
    assert (promises.due, promises.before(second)) == (1, 0)


def test_who_is_told_a_later_time_keeps_the_place_until_then() -> None:
    promises = Promises()
    first = made(promises, "A")
    made(promises, "B")
    promises.roll(NOW + 60.0)

    promises.postpone(first, NOW + 80.0)
    promises.roll(NOW + 60.0 + KEEP_SECONDS)

    assert (promises.of("A"), promises.of("B")) == (first, None)
    assert promises.next_end == NOW + 80.0 + KEEP_SECONDS


def test_one_folder_is_promised_half_of_what_there_is_and_others_half_of_the_rest() -> None:
    promises = Promises()

    shares = [fill(promises, folder, 1000, 640) for folder in ("a", "b", "c", "d")]

    assert shares == [320, 160, 80, 40]


@pytest.mark.parametrize("bound", [math.inf, 100_000.0])
def test_there_are_only_so_many_promises(bound: float) -> None:
    promises = Promises()

    for folder in range(50):
        fill(promises, str(folder), 3000, bound)

    assert len(promises) == promises.later <= MAX_PROMISES


def test_without_room_a_time_is_told_all_the_same() -> None:
    promises = Promises()

    assert promises.make("A", "folder", NextPlace(0, NOW + 60.0, NOW), 0) == NOW + 60.0
    assert promises.of("A") is None


def test_who_was_answered_can_be_promised_a_place_again() -> None:
    promises = Promises()
    first = made(promises, "A")
    promises.end(first)

    assert made(promises, "A") is not first


def test_what_is_over_takes_nothing_from_its_folder() -> None:
    promises = Promises()
    for _ in range(3):
        assert fill(promises, "folder", 10, 16) == 8
        promises.roll(NOW + 60.0)
        promises.roll(NOW + 60.0 + KEEP_SECONDS)
