"""Findings of checks: how long they stand, and who waits for them."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.admin_http.readiness import (
    PATIENCE_SECONDS,
    Disproof,
    Finding,
    Readiness,
    ReadinessCheck,
    Verdict,
)
from tests.fakes.clock import FakeClock
from tests.unit.adapters.admin_http.readiness_rig import ADVICE, Probe, Watched


async def test_a_finding_is_reported_with_its_advice() -> None:
    watched = Watched()
    watched.probe.finding = Finding(ok=False, advice=ADVICE)

    assert await watched.verdict() == Verdict(ok=False, advice=ADVICE, age_seconds=0)


async def test_without_checks_there_is_nothing_against_being_ready() -> None:
    assert await Readiness([], FakeClock()).report() == {}


async def test_a_finding_stands_for_its_time_and_shows_its_age() -> None:
    watched = Watched(fresh_seconds=30)
    await watched.verdict()

    watched.clock.advance(29)
    assert await watched.verdict() == Verdict(ok=True, advice="", age_seconds=29)
    assert watched.probe.calls == 1

    watched.clock.advance(1)
    assert (await watched.verdict()).age_seconds == 0
    assert watched.probe.calls == 2


async def test_a_failure_is_asked_about_again_soon_but_not_by_every_probe() -> None:
    watched = Watched(fresh_seconds=30, retry_seconds=3)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)

    for _ in range(90):
        assert not (await watched.verdict()).ok
        watched.clock.advance(0.1)

    assert watched.probe.calls == 3


async def test_what_heals_is_found_within_the_time_a_failure_stands() -> None:
    watched = Watched(fresh_seconds=30, retry_seconds=3)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    await watched.verdict()
    watched.probe.finding = Finding(ok=True)

    watched.clock.advance(2)
    assert not (await watched.verdict()).ok

    watched.clock.advance(1)
    assert (await watched.verdict()).ok


async def test_a_failure_stands_no_longer_than_a_success() -> None:
    watched = Watched(fresh_seconds=0, retry_seconds=3)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    await watched.verdict()
    watched.probe.finding = Finding(ok=True)

    assert (await watched.verdict()).ok


async def test_what_is_certainly_wrong_is_reported_before_any_check_has_ended() -> None:
    watched = Watched(fresh_seconds=30)
    await watched.verdict()
    watched.clock.advance(4)
    watched.disproof = Disproof(watched.clock.monotonic(), "Start the network.")
    watched.clock.advance(1)
    watched.probe.asked.clear()
    report = await watched.begun()

    last = watched.readiness.last()["store"]
    assert last == Verdict(ok=False, advice="Start the network.", age_seconds=1)
    watched.probe.finding = Finding(ok=False, advice=ADVICE)
    watched.probe.gate.set()
    assert (await report)["store"].advice == ADVICE


async def test_what_somebody_else_has_checked_stands_as_if_it_was_found_here() -> None:
    watched = Watched(fresh_seconds=30, retry_seconds=3)
    watched.readiness.note("store", Finding(ok=False, advice=ADVICE))

    watched.clock.advance(2)
    assert await watched.verdict() == Verdict(ok=False, advice=ADVICE, age_seconds=2)
    assert watched.probe.calls == 0

    watched.clock.advance(1)
    assert (await watched.verdict()).ok


async def test_probes_at_the_same_time_share_one_check() -> None:
    watched = Watched()
    reports = [await watched.begun() for _ in range(20)]

    watched.probe.gate.set()
    for report in await asyncio.gather(*reports):
        assert report["store"].ok

    assert watched.probe.calls == 1


async def test_a_probe_that_goes_away_takes_no_check_with_it() -> None:
    watched = Watched()
    report = await watched.begun()

    report.cancel()
    await asyncio.gather(report, return_exceptions=True)
    watched.probe.gate.set()

    assert (await watched.verdict()).ok
    assert watched.probe.calls == 1


async def test_a_first_check_that_takes_long_is_not_waited_for_and_counts_as_not_ready() -> None:
    watched = Watched()
    report = await watched.begun()

    watched.clock.advance(PATIENCE_SECONDS)

    assert not (await report)["store"].ok
    assert watched.readiness.last() == {}


async def test_while_a_later_check_takes_long_the_former_finding_is_reported() -> None:
    watched = Watched(fresh_seconds=30)
    await watched.verdict()
    watched.clock.advance(30)
    watched.probe.asked.clear()
    report = await watched.begun()

    watched.clock.advance(PATIENCE_SECONDS)

    assert (await report)["store"] == Verdict(ok=True, advice="", age_seconds=30.5)


async def test_a_check_beyond_its_limit_is_ended_and_counts_as_not_ready() -> None:
    watched = Watched(limit_seconds=5)
    report = await watched.begun()
    watched.clock.advance(PATIENCE_SECONDS)
    await report

    watched.clock.advance(5)
    await asyncio.gather(*watched.readiness.refresh())

    verdict = watched.readiness.last()["store"]
    assert not verdict.ok
    assert "within 5 seconds" in verdict.advice


async def test_what_nobody_foresaw_is_not_ready_and_its_text_stays_inside() -> None:
    watched = Watched()
    watched.probe.failure = RuntimeError("canary-hunter2")

    with capture_logs() as logs:
        verdict = await watched.verdict()

    assert not verdict.ok
    assert "log" in verdict.advice
    assert "canary" not in verdict.advice + repr(logs)
    assert [(log["event"], log["check"], log["error"]) for log in logs] == [
        ("admin_http.check_failed", "store", "RuntimeError")
    ]


async def test_closing_ends_checks_under_way() -> None:
    watched = Watched()
    report = await watched.begun()

    await watched.readiness.aclose()

    assert not (await report)["store"].ok
    assert watched.readiness.refresh()
    await watched.readiness.aclose()


@pytest.mark.parametrize("order", [("nats", "store"), ("store", "nats")])
async def test_verdicts_come_in_the_order_of_the_checks(order: tuple[str, str]) -> None:
    readiness = Readiness([ReadinessCheck(name, Probe()) for name in order], FakeClock())

    assert tuple(await readiness.report()) == order
