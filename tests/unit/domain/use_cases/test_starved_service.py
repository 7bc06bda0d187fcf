"""A service short of CPU says so, and blames no store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.model.errors import (
    ServiceStarved,
    StoreBusy,
    StoreTooSlow,
    StoreUnavailable,
    UpstreamError,
)
from domain.model.reference import SecretLocation, SecretQuery
from domain.use_cases.fetch_secret import DEADLINE_PASSED, fetch_by_deadline
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.lateness import FakeLateness
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.errors import SecretsError
    from domain.model.secret import Secret


class SlowStore(FakeSecretStore):
    """Takes its time, during which the process may be late, and fails then."""

    def __init__(self, clock: FakeClock, error: SecretsError | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.error = error
        self.seconds = 8.0

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        self.clock.advance(self.seconds)
        if self.error is not None:
            raise self.error
        return await asyncio.Event().wait()  # type: ignore[return-value]


class Case:
    def __init__(self, error: SecretsError | None = None) -> None:
        self.clock = FakeClock()
        self.lateness = FakeLateness(self.clock)
        self.store = SlowStore(self.clock, error)
        self.began = self.clock.monotonic()

    async def failure(self) -> UpstreamError:
        query = SecretQuery(SecretLocation("/KEY"), None, CALLER, self.began + 8.0)
        with pytest.raises(UpstreamError) as raised:
            await fetch_by_deadline(self.store, query, self.clock, self.lateness)
        return raised.value


async def test_without_lateness_a_passed_deadline_is_the_stores() -> None:
    failure = await Case().failure()

    assert type(failure) is StoreTooSlow
    assert failure.reason == DEADLINE_PASSED


@pytest.mark.parametrize(
    "error",
    [None, StoreTooSlow("slow", reason="vault_timed_out"), StoreBusy("busy", retry_after=9.0)],
)
async def test_lateness_for_much_of_the_time_is_named_in_the_stores_place(
    error: SecretsError | None,
) -> None:
    case = Case(error)
    case.lateness.note(case.began + 1.0, case.began + 5.0)

    failure = await case.failure()

    assert type(failure) is ServiceStarved
    assert failure.reason == "service_starved"
    assert "short of CPU, not the secret store" in failure.advice
    assert "last 8 seconds its work came 4.0 seconds late" in failure.advice


async def test_a_little_lateness_excuses_no_store() -> None:
    case = Case()
    case.lateness.note(case.began + 1.0, case.began + 2.5)

    assert type(await case.failure()) is StoreTooSlow


async def test_a_refusal_at_once_is_judged_by_the_time_before_it() -> None:
    case = Case(StoreBusy("busy"))
    case.store.seconds = 0.0
    case.lateness.note(case.began - 1.5, case.began)

    assert type(await case.failure()) is ServiceStarved


async def test_lateness_long_before_the_request_excuses_no_store() -> None:
    case = Case()
    case.lateness.note(case.began - 10.0, case.began)

    assert type(await case.failure()) is StoreTooSlow


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable("refused the connection"), UpstreamError("answered with nonsense")],
)
async def test_errors_that_no_lateness_explains_stay_as_they_are(error: UpstreamError) -> None:
    case = Case(error)
    case.lateness.note(case.began, case.began + 8.0)

    assert await case.failure() is error
