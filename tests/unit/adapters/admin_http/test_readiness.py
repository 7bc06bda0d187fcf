"""Checks are shared, bounded in time, made seldom, and never take a probe down with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Mapping

ADVICE = "Start the store."


class Probe:
    """Finds what a test says, once `gate` is open."""

    def __init__(self) -> None:
        self.finding = Finding(ok=True)
        self.failure: BaseException | None = None
        self.calls = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Finding:
        self.calls += 1
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.finding


class Watched:
    def __init__(
        self,
        *,
        limit_seconds: float = 5.0,
        fresh_seconds: float = 30.0,
        retry_seconds: float = 3.0,
    ) -> None:
        self.clock = FakeClock()
        self.probe = Probe()
        self.proved_at: float | None = None
        self.disproof: Disproof | None = None
        check = ReadinessCheck(
            "store",
            self.probe,
            limit_seconds=limit_seconds,
            fresh_seconds=fresh_seconds,
            retry_seconds=retry_seconds,
            proof=lambda: self.proved_at,
            disproof=lambda: self.disproof,
        )
        self.readiness = Readiness([check], self.clock)

    async def verdict(self) -> Verdict:
        return (await self.readiness.report())["store"]

    async def begun(self) -> asyncio.Task[Mapping[str, Verdict]]:
        """Return a report that waits for the probe."""
        self.probe.gate.clear()
        report = asyncio.create_task(self.readiness.report())
        await self.probe.asked.wait()
        return report


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
