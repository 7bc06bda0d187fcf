"""What opens the circuit breaker, what does not, and what it says."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.breaker.circuit import BreakerConfig, State
from adapters.breaker.store import CIRCUIT_OPEN, BreakingSecretStore
from domain.model.errors import (
    CallFailed,
    SecretNotFound,
    SecretsError,
    Unauthorized,
    UpstreamError,
)
from tests.contracts.fake_outages import FakeOutages
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.support.settling import settle
from tests.unit.adapters.breaker.breaker_rig import DOWN, LIMITED, UNASKED, Rig


async def test_failures_in_a_row_open_it_and_then_nobody_is_asked() -> None:
    rig = Rig()
    assert await rig.fail(DOWN, "abca") == ["down"] * 4
    assert rig.state() is State.CLOSED

    assert await rig.fail(DOWN, "babc") == ["down"] + [CIRCUIT_OPEN] * 3

    assert len(rig.inner.queries) == 5
    state = rig.store.state()
    assert (state.state, state.opened_count, state.refused_count) == (State.OPEN, 1, 3)
    assert state.since == rig.clock.monotonic()


async def test_the_refusal_says_why_and_when_the_store_is_asked_again() -> None:
    rig = Rig(BreakerConfig(first_pause_seconds=4.0, longest_pause_seconds=4.0))
    await rig.open()
    rig.clock.advance(1.5)

    with pytest.raises(UpstreamError, match="is failing; it is asked again in 3 seconds"):
        await rig.get()


async def test_any_answer_between_failures_keeps_it_closed() -> None:
    for answer in (None, SecretNotFound("No."), Unauthorized("No."), LIMITED, CallFailed("500")):
        rig = Rig()
        for _ in range(5):
            await rig.fail(DOWN, "abcd")
            await rig.fail(answer, "e")
        assert rig.state() is State.CLOSED


async def test_a_stores_own_error_about_one_call_never_opens_it() -> None:
    rig = Rig()

    assert await rig.fail(CallFailed("A 500.", reason="own"), "abcdefgh" * 3) == ["own"] * 24
    assert rig.state() is State.CLOSED


@pytest.mark.parametrize("unasked", UNASKED)
async def test_a_request_that_was_not_sent_counts_for_nothing(unasked: SecretsError) -> None:
    rig = Rig()
    await rig.fail(DOWN, "ab")
    await rig.fail(unasked, "abcdefgh")
    await rig.fail(DOWN, "ab")
    assert rig.state() is State.CLOSED

    await rig.fail(DOWN, "c")
    assert rig.state() is State.OPEN


async def test_failures_far_apart_do_not_open_it() -> None:
    rig = Rig()
    for name in "abcdefgh":
        await rig.fail(DOWN, name)
        rig.clock.advance(8.0)

    assert rig.state() is State.CLOSED


async def test_one_secret_that_always_fails_does_not_close_the_store_for_others() -> None:
    rig = Rig()

    assert await rig.fail(DOWN, "aaaaaaaaaaaa") == ["down"] * 12
    assert rig.state() is State.CLOSED


async def test_secrets_that_hang_while_others_are_served_do_not_open_it() -> None:
    rig = Rig()
    rig.inner.slow = {f"/{name}" for name in "abcdef"}
    hanging = [asyncio.create_task(rig.get(name)) for name in "abcdef"]
    await settle()
    await rig.get("g")

    rig.inner.release.set()
    await asyncio.gather(*hanging, return_exceptions=True)

    assert rig.state() is State.CLOSED


async def test_a_store_that_leaves_every_call_hanging_opens_it() -> None:
    rig = Rig()
    rig.inner.slow = {f"/{name}" for name in "abcdef"}
    hanging = [asyncio.create_task(rig.get(name)) for name in "abcdef"]
    await settle()
    rig.inner.release.set()
    await asyncio.gather(*hanging, return_exceptions=True)

    assert rig.state() is State.OPEN


async def test_a_call_cancelled_before_its_deadline_counts_for_nothing() -> None:
    rig = Rig()
    rig.inner.slow = {"/a", "/b"}
    for name in "ababababab":
        call = asyncio.create_task(rig.get(name))
        await settle()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    assert rig.state() is State.CLOSED


async def test_each_change_is_logged_once_by_name() -> None:
    rig = Rig()
    with capture_logs() as logs:
        await rig.open()
        await rig.fail(DOWN, "ab")
        rig.clock.advance(1.0)
        await rig.fail(DOWN)
        rig.clock.advance(2.0)
        await rig.fail(None)

    assert [entry["event"] for entry in logs] == [
        "breaker.opened",
        "breaker.half_open",
        "breaker.opened",
        "breaker.half_open",
        "breaker.closed",
    ]
    assert (logs[0]["seconds"], logs[0]["opened_count"], logs[2]["seconds"]) == (1.0, 1, 2.0)


class TestBreakingStore(FakeOutages):
    @pytest.fixture(autouse=True)
    def over_the_fake(self) -> None:
        self.clock = FakeClock()
        self.inner = FakeSecretStore(("prod", "dev"))
        self.breaking = BreakingSecretStore(self.inner, BreakerConfig(), self.clock, lambda: 0.0)

    @override
    def store(self) -> BreakingSecretStore:
        return self.breaking

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return self.inner.put("/" + key, value)

    @override
    def deadline(self) -> float:
        return self.clock.monotonic() + 10
