"""Secrets that are broken by themselves do not close the store for all others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.breaker.circuit import State
from adapters.breaker.recent_failures import MAX_REMEMBERED, RecentFailures
from adapters.breaker.store import CIRCUIT_OPEN
from domain.model.errors import SecretsError, UpstreamError
from tests.unit.adapters.breaker.test_breaker import DOWN, Rig, settle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.model.secret import Secret


async def ask(rig: Rig, names: str, broken: Iterable[str] = ()) -> list[str]:
    """Ask for each name in turn, the broken ones failing, and return the reasons."""
    reasons = []
    for name in names:
        reasons += await rig.fail(DOWN if name in broken else None, name)
    return reasons


async def test_a_secret_that_has_not_failed_is_asked_for_while_the_breaker_is_open() -> None:
    rig = Rig()
    await rig.open()

    assert await rig.fail(None, "d") == [""]
    assert rig.state() is State.CLOSED


async def test_broken_secrets_asked_for_all_the_time_never_refuse_another() -> None:
    rig = Rig()
    others = []
    for _ in range(50):
        await ask(rig, "abc" * 5, broken="abc")
        others += await ask(rig, "defg")
        rig.clock.advance(0.5)

    assert others == [""] * 200
    assert rig.store.state().opened_count == 1


async def test_even_many_broken_secrets_refuse_others_for_two_seconds_only() -> None:
    rig = Rig()
    others = []
    for _ in range(50):
        await ask(rig, "abcdefg" * 3, broken="abcdefg")
        others += await ask(rig, "h")
        rig.clock.advance(0.5)

    assert others[4:] == [""] * 46
    assert rig.store.state().opened_count <= 2


async def test_untested_locations_wait_for_the_first_of_them_and_go_the_same_way() -> None:
    for failure, ends in ((None, [""] * 4), (DOWN, ["down", "down", CIRCUIT_OPEN, CIRCUIT_OPEN])):
        rig = Rig()
        await rig.open()
        rig.inner.failure = failure
        rig.inner.gate.clear()
        asked = [asyncio.create_task(rig.get(name)) for name in "defg"]
        await settle()
        assert len(rig.inner.queries) == 5 + 1

        rig.inner.gate.set()

        assert await reasons_of(asked) == ends


async def test_a_untested_location_waits_no_longer_than_a_probe_may_take() -> None:
    rig = Rig()
    await rig.open()
    rig.inner.slow = {"/d"}
    hanging = asyncio.create_task(rig.get("d"))
    await settle()
    waiting = asyncio.create_task(rig.get("e"))
    await settle()
    assert not waiting.done()

    rig.inner.failure = None
    rig.clock.advance(2.0)

    assert await reasons_of([waiting]) == [""]
    rig.inner.release.set()
    assert await reasons_of([hanging]) == ["down"]


async def test_a_untested_location_waits_no_longer_than_its_own_deadline() -> None:
    rig = Rig()
    await rig.open()
    rig.inner.slow = {"/d"}
    hanging = asyncio.create_task(rig.get("d"))
    await settle()
    waiting = asyncio.create_task(rig.get("e", seconds=1.0))
    await settle()

    rig.clock.advance(1.0)

    assert await reasons_of([waiting]) == [CIRCUIT_OPEN]
    hanging.cancel()


async def test_a_store_that_is_down_is_asked_for_few_untested_locations_only() -> None:
    rig = Rig()
    for number in range(300):
        rig.inner.put(f"/n{number}", "value")
    await rig.open()
    rig.inner.failure = DOWN
    ends = []
    for number in range(300):
        ends += await reasons_of([asyncio.create_task(rig.get(f"n{number}"))])
        rig.clock.advance(0.1)

    # Half a minute, and then a probe every two seconds.
    assert ends.count("down") <= 18
    assert ends.count(CIRCUIT_OPEN) == 300 - ends.count("down")


async def test_a_secret_known_to_be_broken_counts_again_once_the_store_answers_nobody() -> None:
    rig = Rig()
    for _ in range(5):
        await ask(rig, "abd", broken="ab")
        rig.clock.advance(1.0)
    assert await ask(rig, "abababab", broken="ab") == ["down"] * 8
    assert rig.state() is State.CLOSED

    rig.clock.advance(15.0)
    await ask(rig, "ab", broken="ab")
    rig.clock.advance(16.0)

    assert await ask(rig, "abababab", broken="ab") == ["down"] * 5 + [CIRCUIT_OPEN] * 3


async def test_an_answer_ends_the_judgement() -> None:
    rig = Rig()
    for _ in range(5):
        await ask(rig, "abd", broken="ab")
    await ask(rig, "ab")

    assert (await ask(rig, "ababab", broken="ab"))[-1] == CIRCUIT_OPEN


def test_what_is_remembered_is_bounded_and_forgotten_in_time() -> None:
    places = RecentFailures(30.0)
    for number in range(MAX_REMEMBERED + 1):
        places.failed(number, 0, 0.0)

    assert not places.holds(0, 0.0)
    assert places.holds(1, 30.0)
    assert not places.holds(1, 30.1)
    assert len(places._failed) == MAX_REMEMBERED


async def reasons_of(asked: list[asyncio.Task[Secret]]) -> list[str]:
    reasons = []
    for task in asked:
        try:
            await task
            reasons.append("")
        except UpstreamError as error:
            reasons.append(error.reason)
        except SecretsError:
            pytest.fail("another kind of error")
    return reasons
