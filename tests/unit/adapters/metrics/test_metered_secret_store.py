"""Calls to the store are timed by how they end, and pass through unchanged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.metrics.registry import Metrics
from adapters.metrics.secret_store import MeteredSecretStore
from domain.model.errors import (
    InvalidRequest,
    PolicyError,
    RateLimited,
    SecretNotFound,
    ServiceStarved,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.fake_outages import FakeOutages
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.unit.adapters.metrics.replica import Replica

if TYPE_CHECKING:
    from ports.secret_store import SecretStore


class TestMeteredSecretStore(FakeOutages):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self.clock = FakeClock()
        self.inner = FakeSecretStore()
        metrics = Metrics(self.clock, version="1", store="infisical")
        self.metered = MeteredSecretStore(self.inner, metrics, self.clock)

    @override
    def store(self) -> SecretStore:
        return self.metered

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return self.inner.put(self.metered.locate(SecretReference(key)).path, value)

    @override
    def deadline(self) -> float:
        return self.clock.monotonic() + 8


def query(replica: Replica, key: str = "known") -> SecretQuery:
    replica.store.put("/known", "value")
    location = replica.metered_store.locate(SecretReference(key))
    return SecretQuery(location, None, CALLER, replica.clock.monotonic() + 8)


def calls(replica: Replica, outcome: str) -> float | None:
    return replica.value("store_call_duration_seconds_count", outcome=outcome)


async def test_a_value_counts_as_ok_and_is_proof_that_the_store_answers() -> None:
    replica = Replica()
    assert replica.metered_store.last_success() is None

    await replica.metered_store.fetch(query(replica))

    assert calls(replica, "ok") == 1
    assert replica.metered_store.last_success() == replica.clock.monotonic()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SecretNotFound("a"), "not_found"),
        (Unauthorized("a"), "unauthorized"),
        (InvalidRequest("a"), "invalid_request"),
        (UpstreamError("a"), "upstream_error"),
        (PolicyError("a"), "failed"),
        (RuntimeError("a"), "failed"),
    ],
)
async def test_a_failure_counts_by_its_kind_and_proves_nothing(
    error: Exception, outcome: str
) -> None:
    replica = Replica()
    replica.store.failure = error

    with pytest.raises(type(error)) as raised:
        await replica.metered_store.fetch(query(replica))

    assert raised.value is error
    assert calls(replica, outcome) == 1
    assert replica.metered_store.last_success() is None


@pytest.mark.parametrize("error", [StoreUnavailable("a"), UpstreamError("a"), RuntimeError("a")])
async def test_a_call_that_failed_speaks_against_the_store_until_it_answers(
    error: Exception,
) -> None:
    replica = Replica()
    await replica.metered_store.fetch(query(replica))
    assert replica.metered_store.failed_at() is None

    replica.clock.advance(1)
    replica.store.failure = error
    with pytest.raises(type(error)):
        await replica.metered_store.fetch(query(replica))
    assert replica.metered_store.failed_at() == replica.clock.monotonic()

    replica.clock.advance(1)
    replica.store.failure = SecretNotFound("a")
    with pytest.raises(SecretNotFound):
        await replica.metered_store.fetch(query(replica))
    assert replica.metered_store.failed_at() is None


@pytest.mark.parametrize("error", [RateLimited("a"), InvalidRequest("a")])
async def test_neither_a_rate_limit_nor_a_request_that_was_wrong_speaks_against_the_store(
    error: Exception,
) -> None:
    replica = Replica()
    replica.store.failure = error

    with pytest.raises(type(error)):
        await replica.metered_store.fetch(query(replica))

    assert replica.metered_store.failed_at() is None


async def test_a_call_that_failed_while_others_were_answered_is_a_slow_secret() -> None:
    replica = Replica()
    replica.store.gate.clear()
    slow = asyncio.create_task(replica.metered_store.fetch(query(replica)))
    await replica.store.asked.wait()
    replica.store.gate.set()
    replica.clock.advance(1)
    await replica.metered_store.fetch(query(replica))

    replica.clock.advance(7)
    replica.store.failure = UpstreamError("a")
    await asyncio.gather(slow, return_exceptions=True)

    assert replica.metered_store.failed_at() is None


async def test_the_time_of_a_call_and_that_it_is_under_way_are_seen() -> None:
    replica = Replica()
    replica.store.gate.clear()
    fetch = asyncio.create_task(replica.metered_store.fetch(query(replica)))
    await replica.store.asked.wait()
    assert replica.value("store_calls_in_flight") == 1

    replica.clock.advance(0.25)
    replica.store.gate.set()
    await fetch

    assert replica.value("store_calls_in_flight") == 0
    assert replica.value("store_call_duration_seconds_sum", outcome="ok") == 0.25


async def test_a_call_that_somebody_gave_up_counts_as_cancelled() -> None:
    replica = Replica()
    replica.store.gate.clear()
    fetch = asyncio.create_task(replica.metered_store.fetch(query(replica)))
    await replica.store.asked.wait()

    fetch.cancel()
    await asyncio.gather(fetch, return_exceptions=True)

    assert calls(replica, "cancelled") == 1
    assert replica.value("store_calls_in_flight") == 0


async def test_a_call_that_ends_at_its_deadline_counts_as_timed_out() -> None:
    replica = Replica()
    replica.store.gate.clear()
    fetch = asyncio.create_task(replica.metered_store.fetch(query(replica)))
    await replica.store.asked.wait()

    replica.clock.advance(8)
    with pytest.raises(UpstreamError):
        await fetch

    assert calls(replica, "timed_out") == 1
    assert calls(replica, "cancelled") == 0
    assert replica.metered_store.failed_at() == replica.clock.monotonic()


async def test_a_call_that_this_process_was_too_late_for_says_nothing_of_the_store() -> None:
    replica = Replica()
    replica.store.failure = ServiceStarved("Give it more CPU.")

    with pytest.raises(ServiceStarved):
        await replica.metered_store.fetch(query(replica))

    assert calls(replica, "service_starved") == 1
    assert replica.metered_store.failed_at() is None
