"""What was served is read again within the interval, at a bounded rate, and changes are told."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from adapters.cache.samples import recheck_samples
from domain.model.errors import (
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
)
from domain.model.secret import STALE, SecretValue
from domain.model.selection import Selection
from tests.unit.adapters.cache.recheck_rig import MINUTES, PROD, Rig, query, running

NAMES = [f"/app/KEY_{number}" for number in range(40)]


async def test_a_change_without_a_notice_is_told_within_the_interval_once() -> None:
    async with running(Rig(seconds=600.0)) as rig:
        rig.put(*NAMES)
        await rig.serve(*NAMES)
        await rig.wait(100.0)
        rig.put(NAMES[7], value="new")
        await rig.wait(1500.0)

    assert rig.paths_told() == [NAMES[7]]
    told_at, selection = rig.told[0]
    assert 100.0 < told_at <= 100.0 + 600.0
    assert selection == Selection(key=NAMES[7], scope=PROD)
    assert rig.recheck.statistics().found == 1


async def test_every_secret_is_read_in_time_and_never_more_than_so_many_a_minute() -> None:
    async with running(Rig(seconds=300.0, per_minute=20)) as rig:
        rig.put(*NAMES)
        await rig.serve(*NAMES)
        await rig.wait(1200.0)

    times = [when for when, _ in rig.store.asked_at[40:]]
    gaps: list[float] = []
    for name in NAMES:
        own = [when for when, path in rig.store.asked_at if path == name]
        gaps += [later - earlier for earlier, later in pairwise(own)]
    assert max(gaps) <= 300.0
    assert len(gaps) >= 40 * 4
    assert max(sum(start <= when < start + MINUTES for when in times) for start in times) <= 20
    # Spread: from 0.4 of the interval on.
    assert 120.0 < min(times) - rig.began < 150.0


async def test_too_many_secrets_for_the_rate_are_read_later_and_the_log_says_so() -> None:
    with capture_logs() as logs:
        async with running(Rig(seconds=60.0, per_minute=10)) as rig:
            rig.put(*NAMES)
            await rig.serve(*NAMES)
            await rig.wait(400.0)

    late = [log for log in logs if log["event"] == "cache.recheck_late"]
    assert 1 <= len(late) <= 6
    assert "CACHE_RECHECK_READS_PER_MINUTE" in late[0]["advice"]
    # All of them in turn all the same.
    assert set(rig.reads()[40:]) == set(NAMES)


async def test_what_a_notice_told_of_is_learned_at_once_and_not_told_again() -> None:
    async with running(Rig(seconds=600.0)) as rig:
        rig.put(*NAMES[:5])
        await rig.serve(*NAMES[:5])
        rig.put(NAMES[0], value="new")
        rig.recheck.invalidate(Selection.below("/app", PROD))
        await rig.wait(3.0)
        assert sorted(rig.reads()[5:]) == NAMES[:5]
        rig.put(NAMES[1], value="lost")
        await rig.wait(601.0)

    # The first was told of; the second changed after that, and its own notice was lost.
    assert rig.paths_told() == [NAMES[1]]


async def test_a_change_that_a_request_meets_is_told_at_once() -> None:
    rig = Rig()
    rig.put("/a")
    await rig.serve("/a")
    rig.put("/a", value="new")
    await rig.serve("/a")

    assert rig.paths_told() == ["/a"]


async def test_a_secret_that_is_gone_is_told_and_forgotten() -> None:
    async with running(Rig(seconds=60.0)) as rig:
        rig.put("/a", "/b")
        await rig.serve("/a", "/b")
        rig.store._versions.clear()
        with pytest.raises(SecretNotFound):
            await rig.serve("/b")
        await rig.wait(61.0)

        assert sorted(rig.paths_told(), key=str) == ["/a", "/b"]
        assert rig.recheck.statistics().secrets == 0


async def test_a_missing_secret_that_was_never_served_is_no_change() -> None:
    rig = Rig()
    with pytest.raises(SecretNotFound):
        await rig.serve("/none")

    assert rig.told == []


@pytest.mark.parametrize(
    ("failure", "silent_seconds"),
    [
        (StoreUnavailable("Down."), 29.0),
        (RateLimited("Wait.", retry_after=120.0), 119.0),
        (RateLimited("Wait."), 29.0),
    ],
)
async def test_a_store_that_does_not_answer_is_left_alone_for_a_while(
    failure: SecretsError, silent_seconds: float
) -> None:
    async with running(Rig(seconds=60.0)) as rig:
        rig.put(*NAMES[:10])
        await rig.serve(*NAMES[:10])
        rig.store.failure = failure
        while len(rig.store.queries) == 10:
            await rig.wait(0.5)
        await rig.wait(silent_seconds)
        assert len(rig.store.queries) == 11
        rig.store.failure = None
        rig.put(NAMES[3], value="new")
        await rig.wait(120.0)

    assert rig.paths_told() == [NAMES[3]]
    assert rig.recheck.statistics().failed == 1


async def test_a_refusal_says_nothing_of_the_value() -> None:
    async with running(Rig(seconds=60.0)) as rig:
        rig.put("/a")
        await rig.serve("/a")
        rig.store.failure = Unauthorized("Not yours.")
        await rig.wait(300.0)
        assert 4 <= len(rig.store.queries) <= 6
        rig.store.failure = None
        await rig.wait(100.0)

    assert rig.told == []


async def test_versions_stale_answers_and_tokens_of_callers_are_not_remembered() -> None:
    rig = Rig()
    rig.put("/a", "/b", "/c")
    await rig.recheck.fetch(query("/a", "1"))
    await rig.recheck.fetch(query("/b")._replace(entity_token=SecretValue("canary")))
    rig.store.source = STALE
    await rig.serve("/c")

    assert rig.recheck.statistics().secrets == 0


async def test_an_older_answer_that_comes_late_is_no_change() -> None:
    rig = Rig()
    rig.put("/a")
    await rig.serve("/a")
    rig.store.gate.clear()
    slow = asyncio.create_task(rig.serve("/a"))
    await asyncio.sleep(0)
    rig.clock.advance(1.0)
    rig.recheck._compare(query("/a"), b"newer", rig.clock.monotonic())
    assert len(rig.told) == 1
    rig.clock.advance(1.0)
    rig.store.gate.set()
    await slow

    assert len(rig.told) == 1


@pytest.mark.parametrize(("before", "after"), [("v", b"v"), ("a", "b"), ("", b""), ("é", "e")])
async def test_any_other_value_is_a_change_and_the_same_one_is_none(
    before: str | bytes, after: str | bytes
) -> None:
    rig = Rig()
    for value in (before, before, after):
        rig.store.put("/a", value)
        await rig.serve("/a")
        rig.clock.advance(1.0)

    assert rig.paths_told() == ["/a"]


async def test_no_more_than_so_many_are_remembered() -> None:
    async with running(Rig(seconds=60.0, most=3)) as rig:
        rig.put(*NAMES[:5])
        await rig.serve(*NAMES[:5])
        await rig.wait(300.0)

        assert rig.recheck.statistics().secrets == 3
        assert set(rig.reads()[5:]) == set(NAMES[2:5])


async def test_figures_and_state_show_no_value() -> None:
    rig = Rig()
    rig.put("/a", value="canary")
    await rig.serve("/a")

    figures = list(recheck_samples(rig.recheck.statistics()))
    assert {sample.name for sample in figures} == {
        "cache_rechecks_total",
        "cache_changes_found_total",
        "cache_recheck_secrets",
        "cache_recheck_oldest_seconds",
    }
    assert "canary" not in repr(vars(rig.recheck))
