"""What requests came to weighs against the findings of checks."""

from __future__ import annotations

from adapters.admin_http.readiness import (
    Disproof,
    Finding,
    Verdict,
)
from tests.unit.adapters.admin_http.readiness_rig import ADVICE, Watched


async def test_work_that_failed_since_has_the_check_made_again_and_only_that_tells() -> None:
    watched = Watched(fresh_seconds=30)
    await watched.verdict()
    watched.clock.advance(4)
    watched.disproof = Disproof(watched.clock.monotonic())
    watched.clock.advance(1)

    assert (await watched.verdict()).ok
    assert watched.probe.calls == 2

    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    watched.clock.advance(4)
    watched.disproof = Disproof(watched.clock.monotonic())

    assert (await watched.verdict()).advice == ADVICE


async def test_however_often_work_fails_the_check_is_not_made_oftener_than_a_failing_one() -> None:
    watched = Watched(fresh_seconds=30, retry_seconds=3)

    for _ in range(90):
        watched.proved_at = watched.clock.monotonic()
        watched.clock.advance(0.05)
        watched.disproof = Disproof(watched.clock.monotonic())
        assert (await watched.verdict()).ok
        watched.clock.advance(0.05)

    assert watched.probe.calls == 3


async def test_a_check_that_failed_says_more_than_the_work_that_failed_since() -> None:
    watched = Watched()
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    await watched.verdict()
    watched.clock.advance(1)

    watched.disproof = Disproof(watched.clock.monotonic(), "Start the network.")

    assert (await watched.verdict()).advice == ADVICE


async def test_work_that_went_well_outweighs_what_was_wrong_before() -> None:
    watched = Watched(fresh_seconds=30)
    watched.disproof = Disproof(watched.clock.monotonic(), "Start the network.")
    watched.clock.advance(1)
    watched.proved_at = watched.clock.monotonic()

    assert (await watched.verdict()).ok
    assert watched.probe.calls == 0


async def test_work_that_went_well_since_makes_a_failed_check_good_at_once() -> None:
    watched = Watched(fresh_seconds=30)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    await watched.verdict()

    watched.clock.advance(2)
    watched.proved_at = watched.clock.monotonic()
    watched.clock.advance(1)

    assert await watched.verdict() == Verdict(ok=True, advice="", age_seconds=1)
    assert watched.probe.calls == 1


async def test_while_work_goes_well_no_check_is_made() -> None:
    watched = Watched(fresh_seconds=30)

    for _ in range(100):
        watched.proved_at = watched.clock.monotonic()
        watched.clock.advance(10)
        assert (await watched.verdict()).ok

    assert watched.probe.calls == 0


async def test_work_that_went_well_long_ago_proves_nothing() -> None:
    watched = Watched(fresh_seconds=30)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    watched.proved_at = watched.clock.monotonic()

    watched.clock.advance(30)

    assert not (await watched.verdict()).ok


async def test_work_from_before_a_failed_check_does_not_outweigh_it() -> None:
    watched = Watched(fresh_seconds=30)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    watched.proved_at = watched.clock.monotonic() - 31
    assert not (await watched.verdict()).ok

    watched.proved_at = watched.clock.monotonic() - 1

    assert not (await watched.verdict()).ok
