"""A store that is down is left alone, and found again within seconds of its recovery."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.breaker.circuit import State
from adapters.breaker.config import BreakerConfig
from adapters.breaker.store import CIRCUIT_OPEN, BreakingSecretStore
from domain.model.errors import (
    InvalidRequest,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.secret import Secret

DOWN = StoreUnavailable("It is down.", reason="down")
LIMITED = RateLimited("Later.", reason="limited")


class Store(FakeSecretStore):
    """Attributes: `slow`, paths that answer nothing until `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self.release = asyncio.Event()

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        if query.location.path in self.slow:
            await self.release.wait()
            raise StoreUnavailable("Too slow.", reason="down")
        return await super().fetch(query)


class Rig:
    """A breaker over the fake store. Attributes: `draw`, what the jitter gives."""

    def __init__(self, config: BreakerConfig | None = None) -> None:
        self.clock = FakeClock()
        self.inner = Store()
        for name in "abcdefgh":
            self.inner.put(f"/{name}", "value")
        self.draw = 0.0
        self.store = BreakingSecretStore(
            self.inner,
            config or BreakerConfig(),
            self.clock,
            lambda: self.draw,
        )

    def state(self) -> State:
        return self.store.state().state

    async def get(self, name: str = "a", seconds: float = 8.0) -> Secret:
        location = SecretLocation(f"/{name}", (("environment", "prod"),))
        deadline = self.clock.monotonic() + seconds
        return await self.store.fetch(SecretQuery(location, None, CALLER, deadline))

    async def fail(self, failure: SecretsError | None, names: str = "a") -> list[str]:
        """Ask once for each name, in turn, and return the reasons; None lets the store work."""
        self.inner.failure = failure
        reasons = []
        for name in names:
            try:
                await self.get(name)
                reasons.append("")
            except SecretsError as error:
                reasons.append(error.reason)
        return reasons

    async def open(self) -> None:
        await self.fail(DOWN, "abcab")
        assert self.state() is State.OPEN


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


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
    for answer in (None, SecretNotFound("No."), Unauthorized("No.")):
        rig = Rig()
        for _ in range(5):
            await rig.fail(DOWN, "abcd")
            await rig.fail(answer, "e")
        assert rig.state() is State.CLOSED


async def test_rate_limits_and_requests_refused_unasked_count_for_nothing() -> None:
    rig = Rig()
    for other in (LIMITED, InvalidRequest("No.")):
        await rig.fail(other, "abcdefgh")
        assert rig.state() is State.CLOSED
        await rig.fail(DOWN, "ab")
    await rig.fail(LIMITED, "ab")
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


@pytest.mark.parametrize("answer", [SecretNotFound("No."), Unauthorized("No."), LIMITED])
async def test_a_probe_that_ends_in_anything_but_an_outage_closes_it(answer: SecretsError) -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)

    assert await rig.fail(answer) == [answer.reason]
    assert rig.state() is State.CLOSED


async def test_a_probe_refused_unasked_proves_nothing_and_holds_nobody_up() -> None:
    rig = Rig()
    await rig.open()
    rig.clock.advance(1.0)

    assert await rig.fail(InvalidRequest("No.")) == ["invalid_request"]
    assert rig.state() is State.HALF_OPEN
    assert await rig.fail(None) == [""]


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"failures": 0, "locations": 0},
        {"locations": 6},
        {"window_seconds": 0},
        {"first_pause_seconds": -1},
        {"probe_seconds": float("inf")},
        {"first_pause_seconds": 5.0},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="breaker's"):
        BreakerConfig(**wrong)  # type: ignore[arg-type]  # wrong on purpose
