"""Secrets that are read again: when a value stays, when it ends, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.errors import (
    RateLimited,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from domain.model.secret import STALE, Secret, SecretValue
from domain.model.secret_uri import parse_secret_uri
from domain.use_cases.follow_secrets import Absent, FollowedSecret, FollowSecrets, Held
from domain.use_cases.read_for_workload import WorkloadRead
from tests.fakes.clock import FakeClock
from tests.support.workloads import CART, Reads

if TYPE_CHECKING:
    from domain.model.errors import RequestError
    from domain.model.secret_uri import SecretUri
    from domain.model.workload import Workload

MAX_STALE = 60.0
OUTAGES = (
    StoreUnavailable("The store is out."),
    RateLimited("Later."),
    UpstreamError("It cannot be trusted."),
)
ENDS = (SecretNotFound("There is none."), Unauthorized("No rule."))


class Script:
    """Answers each read with what is set."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.outcome: Secret | RequestError = value("1")
        self.follow = FollowSecrets(
            self.read, self.clock, timeout_seconds=8, max_stale_seconds=MAX_STALE
        )
        self.secret = FollowedSecret(CART, parse_secret_uri("secret://db"), "db")
        self.ended: list[Absent] = []

    async def read(self, workload: Workload, wanted: SecretUri, deadline: float) -> WorkloadRead:
        assert workload is self.secret.workload
        assert wanted is self.secret.wanted
        assert deadline == self.clock.monotonic() + 8
        return WorkloadRead("r-1", self.outcome)

    async def refresh(self, outcome: Secret | RequestError) -> None:
        self.outcome = outcome
        await self.follow.refresh([self.secret], lambda _, absent: self.ended.append(absent))

    @property
    def held(self) -> str | None:
        state = self.follow.state(self.secret)
        if not isinstance(state, Held):
            return None
        revealed = state.secret.value.reveal()
        assert isinstance(revealed, str)
        return revealed


def value(text: str, source: str = "store") -> Secret:
    return Secret("1", SecretValue(text), source=source)


async def test_a_value_is_held_and_replaced() -> None:
    script = Script()
    assert script.follow.state(script.secret) is None
    await script.refresh(value("1"))
    await script.refresh(value("2"))
    assert script.held == "2"
    assert script.ended == []


@pytest.mark.parametrize("error", ENDS, ids=lambda error: type(error).__name__)
async def test_a_refusal_ends_a_value_at_once(error: RequestError) -> None:
    script = Script()
    await script.refresh(value("1"))
    await script.refresh(error)
    assert script.held is None
    assert script.ended == [Absent(error, "r-1")]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
async def test_a_store_that_is_out_ends_a_value_once_it_is_too_old(error: RequestError) -> None:
    script = Script()
    await script.refresh(value("1"))
    script.clock.advance(MAX_STALE - 1)
    await script.refresh(error)
    assert script.held == "1"
    assert script.follow.expire([script.secret]) == []

    script.clock.advance(1)
    ((_, absent),) = script.follow.expire([script.secret])
    assert absent == Absent(error, "r-1")
    assert script.held is None
    # An answer that only the cache gives does not bring it back.
    await script.refresh(value("1", STALE))
    assert script.held is None
    await script.refresh(value("1"))
    assert script.held == "1"


async def test_a_read_that_fails_after_the_end_ends_the_value_itself() -> None:
    script = Script()
    await script.refresh(value("1"))
    script.clock.advance(MAX_STALE)
    await script.refresh(OUTAGES[0])
    assert script.held is None
    assert len(script.ended) == 1


async def test_an_answer_from_memory_while_the_store_is_out_confirms_nothing() -> None:
    script = Script()
    await script.refresh(value("1"))
    script.clock.advance(MAX_STALE - 1)
    await script.refresh(value("1", STALE))
    script.clock.advance(1)
    ((_, absent),) = script.follow.expire([script.secret])
    assert absent.error.reason == "unconfirmed"


async def test_the_first_read_has_nothing_to_fall_back_on() -> None:
    script = Script()
    await script.refresh(OUTAGES[0])
    assert script.held is None
    assert script.ended == [Absent(OUTAGES[0], "r-1")]


async def test_what_is_followed_no_longer_is_forgotten() -> None:
    script = Script()
    await script.refresh(value("1"))

    script.follow.keep_only([script.secret])
    assert script.held == "1"
    script.follow.keep_only([])
    assert script.follow.state(script.secret) is None


async def test_a_value_counts_from_the_beginning_of_its_read() -> None:
    reads = Reads()
    reads.store.put("/db", "1")
    follow = FollowSecrets(reads.read, reads.clock, timeout_seconds=8, max_stale_seconds=60)
    secret = FollowedSecret(CART, parse_secret_uri("secret://db"), "db")
    began = reads.clock.monotonic()
    await follow.refresh([secret], lambda *_: None)
    state = follow.state(secret)
    assert isinstance(state, Held)
    assert state.confirmed_at == began
