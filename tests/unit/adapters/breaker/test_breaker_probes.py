"""One request asks for all while the circuit breaker is open, and what its answer means."""

from __future__ import annotations

import asyncio

import pytest

from adapters.breaker.circuit import State
from adapters.breaker.store import CIRCUIT_OPEN
from domain.model.errors import (
    CallFailed,
    SecretNotFound,
    SecretsError,
    Unauthorized,
    UpstreamError,
)
from tests.support.settling import settle
from tests.unit.adapters.breaker.breaker_rig import DOWN, LIMITED, UNASKED, Rig


async def test_after_the_pause_one_asks_for_all_and_its_answer_closes_it() -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)
    rig.inner.failure = None
    rig.inner.gate.clear()
    probe = asyncio.create_task(rig.get())
    await settle()
    assert rig.state() is State.HALF_OPEN
    with pytest.raises(UpstreamError) as refusal:
        await rig.get("b")
    assert refusal.value.reason == CIRCUIT_OPEN

    rig.inner.gate.set()
    await probe

    assert rig.state() is State.CLOSED
    assert await rig.fail(None, "abc") == [""] * 3


async def test_a_probe_that_fails_doubles_the_pause_up_to_two_seconds() -> None:
    rig = Rig()
    await rig.open()
    for pause in (1.0, 2.0, 2.0, 2.0):
        rig.clock.advance(pause - 0.1)
        assert await rig.fail(DOWN) == [CIRCUIT_OPEN]
        rig.clock.advance(0.1)
        assert await rig.fail(DOWN) == ["down"]

    assert rig.store.state().opened_count == 1
    rig.clock.advance(2.0)
    assert await rig.fail(None, "ab") == ["", ""]
    await rig.open()
    rig.clock.advance(1.0)
    assert await rig.fail(None) == [""]
    assert rig.store.state().opened_count == 2


async def test_jitter_only_shortens_a_pause_by_half_of_it_at_most() -> None:
    rig = Rig()
    rig.draw = 1.0
    await rig.open()
    rig.clock.advance(0.5)

    assert await rig.fail(None) == [""]


async def test_a_probe_that_hangs_is_followed_by_another_within_seconds() -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)
    rig.inner.failure = None
    rig.inner.slow = {"/a"}
    hanging = asyncio.create_task(rig.get("a"))
    await settle()
    rig.clock.advance(2.0 + 2.0)

    assert await rig.fail(None, "b") == [""]
    assert rig.state() is State.CLOSED
    rig.inner.release.set()
    await asyncio.gather(hanging, return_exceptions=True)
    assert rig.state() is State.CLOSED


async def test_a_cancelled_probe_lets_the_next_request_ask() -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)
    rig.inner.slow = {"/a"}
    probe = asyncio.create_task(rig.get("a"))
    await settle()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)

    assert await rig.fail(None, "b") == [""]


@pytest.mark.parametrize(
    "answer", [SecretNotFound("No."), Unauthorized("No."), LIMITED, CallFailed("A 500.")]
)
async def test_a_probe_that_ends_in_anything_but_an_outage_closes_it(answer: SecretsError) -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)

    assert await rig.fail(answer) == [answer.reason]
    assert rig.state() is State.CLOSED


@pytest.mark.parametrize("unasked", UNASKED)
async def test_a_probe_that_was_not_sent_proves_nothing_and_the_next_request_asks(
    unasked: SecretsError,
) -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)

    assert await rig.fail(unasked) == [unasked.reason]
    assert rig.state() is State.HALF_OPEN
    assert await rig.fail(None) == [""]
    assert rig.state() is State.CLOSED


async def test_a_late_answer_from_before_closes_it_as_well() -> None:
    rig = Rig()
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.get("h"))
    await settle()
    rig.inner.slow = {"/a", "/b"}
    rig.inner.release.set()
    await rig.fail(None, "ababa")
    assert rig.state() is State.OPEN

    rig.inner.gate.set()
    await early
    assert rig.state() is State.CLOSED
