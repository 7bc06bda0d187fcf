"""What each check looks at, and what it tells the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.access_policy.problems import PolicyProblem
from adapters.access_policy.status import PolicyStatus
from adapters.admin_http.checks import (
    STORE_FRESH_SECONDS,
    STORE_RETRY_SECONDS,
    audit_check,
    problem_check,
    process_check,
    serving_check,
    store_check,
)
from adapters.admin_http.readiness import Finding, Readiness
from ports.store_check import (
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)
from tests.fakes.clock import FakeClock
from tests.fakes.store_check import FakeStoreCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.admin_http.readiness import ReadinessCheck

MISTAKES = (PolicyProblem(1, "", "mend it"),)


@pytest.mark.parametrize("make", [serving_check, audit_check])
async def test_a_condition_is_looked_at_anew_by_every_probe(
    make: Callable[[Callable[[], bool]], ReadinessCheck],
) -> None:
    answers = [False, True]
    check = make(answers.pop)
    readiness = Readiness([check], FakeClock())

    assert (await readiness.report())[check.name].ok
    refused = (await readiness.report())[check.name]

    assert not refused.ok
    assert refused.advice.endswith(".")


@pytest.mark.parametrize(
    ("status", "ok", "advice"),
    [
        (PolicyStatus("digest", 1.0), True, ""),
        (PolicyStatus("digest", 1.0, mistakes=MISTAKES), True, "stays in force"),
        (PolicyStatus(), False, "ACCESS_POLICY_FILE"),
        (PolicyStatus(mistakes=MISTAKES), False, "ACCESS_POLICY_FILE"),
    ],
)
async def test_a_policy_must_be_in_force_and_mistakes_since_are_mentioned(
    status: PolicyStatus, ok: bool, advice: str
) -> None:
    check = problem_check("policy", lambda: status.problem, lambda: status.degraded)
    finding = await check.probe()

    assert finding.ok is ok
    assert advice in finding.advice
    assert bool(finding.advice) is bool(advice)


@pytest.mark.parametrize("kind", [StoreMisconfiguredError, StoreUnreachableError])
async def test_a_store_that_does_not_answer_is_reported_in_its_checks_own_words(
    kind: type[StoreMisconfiguredError | StoreUnreachableError],
) -> None:
    check = store_check(FakeStoreCheck([kind("Check INFISICAL_BASE_URL.")]), lambda: True)

    assert await check.probe() == Finding(ok=False, advice="Check INFISICAL_BASE_URL.")


async def test_a_process_that_is_late_says_so_and_stays_ready() -> None:
    assert await process_check(lambda: "").probe() == Finding(ok=True)
    assert await process_check(lambda: "Give it CPU.").probe() == Finding(True, "Give it CPU.")


async def test_a_store_is_not_blamed_for_what_the_process_was_too_late_for() -> None:
    outcomes = [StoreUnreachableError("Slow."), StoreMisconfiguredError("Wrong."), None]
    check = store_check(FakeStoreCheck(outcomes), lambda: True, starved=lambda: "Give it CPU.")

    assert await check.probe() == Finding(ok=False, advice="Give it CPU.")
    assert await check.probe() == Finding(ok=False, advice="Wrong.")
    assert await check.probe() == Finding(ok=True)


async def test_a_store_that_limits_the_rate_is_up_and_the_advice_says_so() -> None:
    limited = StoreLimitedError("It takes no read for 12 seconds.")
    check = store_check(FakeStoreCheck([limited]), lambda: True)

    assert await check.probe() == Finding(ok=True, advice="It takes no read for 12 seconds.")


async def test_however_often_it_is_probed_the_store_is_asked_once_in_fifteen_seconds() -> None:
    clock, store = FakeClock(), FakeStoreCheck()
    readiness = Readiness([store_check(store, lambda: True)], clock)

    for _ in range(120):
        assert (await readiness.report())["store"].ok
        clock.advance(1)

    assert store.calls == 120 / STORE_FRESH_SECONDS


async def test_however_often_it_is_probed_a_store_that_is_down_is_asked_every_three_seconds() -> (
    None
):
    clock, store = FakeClock(), FakeStoreCheck([StoreUnreachableError("Check it.")])
    readiness = Readiness([store_check(store, lambda: True)], clock)

    for _ in range(120):
        assert not (await readiness.report())["store"].ok
        clock.advance(1)

    assert store.calls == 120 / STORE_RETRY_SECONDS


async def test_requests_that_got_their_value_spare_the_store_the_check() -> None:
    clock, store = FakeClock(), FakeStoreCheck()
    check = store_check(store, lambda: True, proof=lambda: clock.monotonic() - 5)
    readiness = Readiness([check], clock)

    for _ in range(120):
        assert (await readiness.report())["store"].ok
        clock.advance(1)

    assert store.calls == 0


async def test_the_store_is_not_asked_before_the_service_has_started() -> None:
    store = FakeStoreCheck()
    started = False
    readiness = Readiness([store_check(store, lambda: started)], FakeClock())

    early = (await readiness.report())["store"]
    assert not early.ok
    assert "Not checked yet" in early.advice
    assert store.calls == 0
    assert not readiness.last()

    started = True
    assert (await readiness.report())["store"].ok
