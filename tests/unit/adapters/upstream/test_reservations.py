"""Reservations are bounded, shared between tenants, and end in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.reservations import (
    KEEP_SECONDS,
    MAX_RESERVATIONS,
    Reservation,
    Reservations,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

NOW = 1000.0


def tell(reservations: Reservations, key: Hashable, since: float = NOW + 60.0) -> float:
    """Reserve a place and return the retry time."""
    return reservations.make(key, "tenant", since, NOW, math.inf)


def made(reservations: Reservations, key: str, since: float = NOW + 60.0) -> Reservation:
    tell(reservations, key, since)
    reservation = reservations.of(key)
    assert reservation is not None
    return reservation


def fill(reservations: Reservations, tenant: str, number: int, bound: float) -> int:
    """Ask for so many places and return how many the tenant got."""
    before = len(reservations)
    for key in range(number):
        reservations.make((tenant, key), tenant, NOW + 60.0, NOW, bound)
    return len(reservations) - before


def test_no_place_is_told_before_those_reserved_earlier() -> None:
    reservations = Reservations()
    tell(reservations, "A")

    assert tell(reservations, "B", NOW + 59.0) == NOW + 60.0


def test_for_each_minute_beyond_the_first_a_second_more_is_told() -> None:
    reservations = Reservations()

    told = [tell(reservations, number, NOW + 60.0 * number) - NOW for number in range(5)]

    assert told == [0.0, 60.0, 121.0, 182.0, 243.0]


def test_a_place_is_kept_from_when_it_comes_free_until_seconds_after_the_time_told() -> None:
    reservations = Reservations()
    reservation = made(reservations, "A", NOW + 120.0)
    reservations.roll(NOW + 119.9)
    assert (reservations.due, reservations.later) == (0, 1)

    reservations.roll(NOW + 120.0)
    assert (reservations.due, reservations.later) == (1, 0)
    assert reservations.next_end == reservations.last_end == reservation.at + KEEP_SECONDS
    reservations.roll(reservation.at + KEEP_SECONDS)

    assert (reservations.due, reservations.later, len(reservations)) == (0, 0, 0)


def test_a_place_given_up_moves_no_other_and_is_not_kept() -> None:
    reservations = Reservations()
    made(reservations, "A")
    second = made(reservations, "B")

    reservations.end("A")

    assert reservations.before(second) == 1
    assert reservations.later == 2
    reservations.roll(NOW + 60.0)
    assert (reservations.due, reservations.before(second)) == (1, 0)


def test_a_key_told_a_later_time_keeps_the_place_until_then() -> None:
    reservations = Reservations()
    first = made(reservations, "A")
    made(reservations, "B")
    reservations.roll(NOW + 60.0)

    reservations.postpone(first, NOW + 80.0)
    reservations.roll(NOW + 60.0 + KEEP_SECONDS)

    assert (reservations.of("A"), reservations.of("B")) == (first, None)
    assert reservations.next_end == NOW + 80.0 + KEEP_SECONDS


def test_one_tenant_gets_half_of_what_there_is_and_others_half_of_the_rest() -> None:
    reservations = Reservations()

    shares = [fill(reservations, tenant, 1000, 640) for tenant in ("a", "b", "c", "d")]

    assert shares == [320, 160, 80, 40]


@pytest.mark.parametrize("bound", [math.inf, 100_000.0])
def test_the_number_of_reservations_is_bounded(bound: float) -> None:
    reservations = Reservations()

    for tenant in range(14):
        fill(reservations, str(tenant), 2100, bound)

    assert len(reservations) == reservations.later <= MAX_RESERVATIONS


def test_without_room_a_time_is_told_all_the_same() -> None:
    reservations = Reservations()

    assert reservations.make("A", "tenant", NOW + 60.0, NOW, 0) == NOW + 60.0
    assert reservations.of("A") is None


def test_an_answered_key_can_have_a_reservation_again() -> None:
    reservations = Reservations()
    first = made(reservations, "A")
    reservations.end("A")

    assert made(reservations, "A") is not first


def test_what_is_over_takes_nothing_from_its_tenant() -> None:
    reservations = Reservations()
    for _ in range(3):
        assert fill(reservations, "tenant", 10, 16) == 8
        reservations.roll(NOW + 60.0)
        reservations.roll(NOW + 60.0 + KEEP_SECONDS)
