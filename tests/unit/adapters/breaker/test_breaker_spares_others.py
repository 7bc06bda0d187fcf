"""Secrets that hang by themselves do not close the store for all others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.breaker.circuit import MAX_REMEMBERED, BreakerConfig, Call, Circuit, Outcome, State
from adapters.breaker.store import CIRCUIT_OPEN
from domain.model.errors import SecretsError, UpstreamError
from tests.support.settling import settle
from tests.unit.adapters.breaker.breaker_rig import DOWN, Rig

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


async def test_even_many_broken_secrets_refuse_others_for_two_seconds_only() -> None:
    rig = Rig()
    others = []
    for _ in range(50):
        await ask(rig, "abcdefg" * 3, broken="abcdefg")
        others += await ask(rig, "h")
        rig.clock.advance(0.5)

    assert others[4:] == [""] * 46


async def test_of_untested_locations_one_at_a_time_is_asked_for() -> None:
    rig = Rig()
    await rig.open()
    rig.inner.failure = None
    rig.inner.gate.clear()
    asked = [asyncio.create_task(rig.get(name)) for name in "defg"]
    await settle()
    assert len(rig.inner.queries) == 5 + 1

    rig.inner.gate.set()

    assert await reasons_of(asked) == [""] + [CIRCUIT_OPEN] * 3
    assert rig.state() is State.CLOSED


async def test_an_untested_location_that_hangs_counts_as_failed_after_a_probes_time() -> None:
    rig = Rig()
    await rig.open()
    rig.inner.slow = {"/d"}
    hanging = asyncio.create_task(rig.get("d"))
    await settle()
    rig.clock.advance(1.9)
    assert await rig.fail(None, "e") == [CIRCUIT_OPEN]
    rig.clock.advance(0.1)

    assert await rig.fail(None, "e") == [""]
    rig.inner.release.set()
    assert await reasons_of([hanging]) == ["down"]


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


def test_the_locations_remembered_are_bounded_and_forgotten_in_time() -> None:
    circuit = Circuit(BreakerConfig(failures=1, locations=1), lambda: 0.0, 0.0)
    for number in range(MAX_REMEMBERED + 1):
        circuit.end(Call(number, answers=0), Outcome.FAILED, 0.0)

    assert not circuit._is_untested(1, 30.0)
    assert circuit._is_untested(0, 30.0)
    assert circuit._is_untested(1, 30.1)
    assert len(circuit._failed_at) == MAX_REMEMBERED


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
