"""Who would read when, played through beforehand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.infisical.places import Places
from adapters.infisical.read_order import ReadOrder, Waiter
from adapters.infisical.rehearsal import STEPS, Durations, Rehearsal, rehearse
from adapters.infisical.request_budget import RequestBudget

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

NOW = 1000.0


def waiter(secret: str, seconds: float = 8.0, folder: str = "slow") -> Waiter:
    return Waiter(folder, secret, NOW + seconds, asyncio.get_running_loop().create_future())


def rehearsed(
    waiters: Iterable[Waiter],
    durations: Mapping[str, float],
    *,
    under_way: Iterable[tuple[float, str]] = (),
    places: int = 1,
    unknown: Iterable[str] = (),
) -> Rehearsal:
    """Play through what these do, who come in this order, with that many places."""
    order = ReadOrder(RequestBudget(None))
    for who in waiters:
        order.join(who, NOW)
    held = [(NOW + seconds, folder) for seconds, folder in under_way]
    known: dict[Hashable, Durations] = {
        folder: Durations(seconds, 0.0 if folder in unknown else seconds)
        for folder, seconds in durations.items()
    }
    return rehearse(order.lines(), known, held, places - len(held), NOW)


def late(result: Rehearsal) -> dict[object, float]:
    """Return the secrets that are late, and in how many seconds they would have a place."""
    return {who.secret: at - NOW for who, at in result.late}


async def test_those_are_late_who_would_be_answered_after_their_deadline() -> None:
    crowd = [waiter(f"K{number}") for number in range(6)]

    result = rehearsed(crowd, {"slow": 3.0}, under_way=[(1.0, "slow")])

    assert late(result) == {"K2": 7.0, "K3": 7.0, "K4": 7.0, "K5": 7.0}
    assert result.line_ends == {"slow": NOW + 4.0}


async def test_who_is_late_holds_up_nobody_behind() -> None:
    crowd = [waiter("A"), waiter("HASTY", 2.0), waiter("B"), waiter("C")]

    result = rehearsed(crowd, {"slow": 3.0}, under_way=[(0.5, "slow")])

    assert late(result) == {"HASTY": 3.5, "C": 6.5}


async def test_a_place_that_should_be_free_already_is_expected_at_once() -> None:
    crowd = [waiter(f"K{number}") for number in range(3)]

    assert late(rehearsed(crowd, {"slow": 4.0}, under_way=[(-9.0, "slow")])) == {"K2": 8.0}


async def test_folders_share_the_places_as_they_do_in_earnest() -> None:
    slow = [waiter(f"S{number}") for number in range(20)]
    quick = [waiter(f"Q{number}", 2.0, folder="quick") for number in range(20)]

    result = rehearsed([*slow, *quick], {"slow": 6.0, "quick": 0.0625}, places=4)

    # The slow folder takes two places, and one of the other two is for whoever comes next.
    assert late(result) == {f"S{number}": 6.0 for number in range(2, 20)}
    assert result.line_ends == {"slow": NOW, "quick": NOW + 19 * 0.0625}


async def test_of_an_unknown_folder_only_those_are_late_who_have_no_place_in_time() -> None:
    crowd = [waiter(f"U{number}", folder="new") for number in range(4)]
    durations = {"slow": 5.0, "new": 4.0}

    result = rehearsed(crowd, durations, under_way=[(3.0, "slow")], unknown=["new"])

    assert late(result) == {"U2": 11.0, "U3": 11.0}


async def test_those_who_wait_behind_others_for_one_secret_do_not_hold_up_a_newcomer() -> None:
    crowd = [waiter("HOT") for _ in range(30)] + [waiter("COLD")]

    result = rehearsed(crowd, {"slow": 0.5})

    assert result.line_ends == {"slow": NOW + 0.5}
    assert len(result.late) == 31 - 16


async def test_a_line_too_long_to_be_played_through_is_judged_by_how_far_it_was() -> None:
    crowd = [waiter(f"K{number}") for number in range(3 * STEPS)]

    quick = rehearsed(crowd, {"slow": 0.001})
    slow = rehearsed(crowd, {"slow": 0.01})

    assert not quick.late
    assert quick.line_ends["slow"] == pytest.approx(NOW + STEPS * 0.001)
    assert len(slow.late) == pytest.approx(3 * STEPS - 800, abs=2)


def test_no_more_than_half_of_the_places_are_one_folders() -> None:
    for number in range(1, 40):
        places = Places(number)
        while places.may_take("folder"):
            places.take("folder")
        assert (places.taken, places.number) == (places.share, number)
