"""What is served when the store is out, and what ends a kept value."""

from __future__ import annotations

import asyncio

import pytest

from adapters.cache.config import CacheConfig
from domain.model.errors import (
    InvalidRequest,
    SecretNotFound,
    SecretsError,
    Unauthorized,
    UpstreamError,
)
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, unreachable
from tests.unit.adapters.cache.stale_rig import STALE, kept


async def test_by_default_an_expired_value_is_never_served() -> None:
    rig = await kept(CacheConfig(), age=5)
    rig.inner.failure = unreachable()

    with pytest.raises(UpstreamError):
        await rig.fetch()


async def test_in_an_outage_an_expired_value_is_served_and_marked() -> None:
    rig = await kept(age=5)
    rig.inner.failure = unreachable()

    assert await rig.text() == ("stale", "value")
    assert await rig.text() == ("stale", "value")
    assert rig.calls == 2
    statistics = rig.cache.statistics()
    assert (statistics.stale, statistics.misses, statistics.negative_hits) == (2, 2, 1)


async def test_what_the_store_itself_calls_stale_is_not_cached() -> None:
    rig = Rig(STALE)
    rig.inner.put(PATH, "value")
    rig.inner.source = "stale"

    assert [await rig.text(), await rig.text()] == [("stale", "value")] * 2
    assert rig.calls == 2
    assert rig.cache.statistics().entries == 0


async def test_a_stale_answer_of_the_store_ends_no_cached_value() -> None:
    rig = await kept(age=5)
    rig.inner.source = "stale"
    await rig.fetch()
    rig.inner.failure = unreachable()

    assert await rig.text() == ("stale", "value")


async def test_a_stale_value_is_served_up_to_its_limit_and_no_longer() -> None:
    rig = await kept(age=64.999)
    rig.inner.failure = unreachable()

    assert (await rig.fetch()).source == "stale"
    rig.clock.advance(0.001)
    with pytest.raises(UpstreamError):
        await rig.fetch()
    assert rig.cache.statistics().entries == 0


async def test_the_store_is_always_asked_before_a_stale_value_is_served() -> None:
    rig = await kept(age=30)
    rig.inner.put(PATH, "new")

    assert await rig.text() == ("store", "new")


async def test_when_the_store_is_back_its_value_is_served() -> None:
    rig = await kept(age=5)
    rig.inner.failure = unreachable()
    await rig.fetch()
    rig.inner.failure = None
    rig.inner.put(PATH, "new")
    rig.clock.advance(1)

    assert await rig.text() == ("store", "new")
    assert await rig.text() == ("cache", "new")


@pytest.mark.parametrize(
    "answer",
    [
        SecretNotFound("None."),
        Unauthorized("No."),
        InvalidRequest("Not so."),
        UpstreamError("Wrong credentials.", reason="login_refused"),
    ],
)
async def test_any_answer_but_an_outage_ends_a_kept_value_at_once(answer: SecretsError) -> None:
    rig = await kept(age=5)
    rig.inner.failure = answer
    with pytest.raises(type(answer)):
        await rig.fetch()
    assert rig.cache.statistics().entries == 0

    rig.inner.failure = unreachable()
    rig.clock.advance(1)
    with pytest.raises(UpstreamError):
        await rig.fetch()


@pytest.mark.parametrize("answer", [SecretNotFound("None."), Unauthorized("No."), LookupError()])
async def test_a_refresh_that_learns_better_ends_even_a_fresh_value(answer: Exception) -> None:
    rig = await kept()
    for _ in range(3):
        await rig.fetch()
    rig.inner.failure = answer
    rig.clock.advance(4)
    await rig.fetch()
    await settle()

    with pytest.raises(type(answer)):
        await rig.fetch()


async def test_a_refresh_that_fails_leaves_the_value_and_is_not_repeated() -> None:
    rig = await kept(CacheConfig())
    for _ in range(3):
        await rig.fetch()
    rig.inner.failure = unreachable()
    rig.clock.advance(4)
    for _ in range(5):
        assert (await rig.fetch()).source == "cache"
        await settle()
    assert rig.calls == 2

    rig.inner.failure = None
    rig.clock.advance(1)
    assert await rig.text() == ("store", "value")


async def test_a_failed_refresh_that_somebody_waited_for_is_remembered() -> None:
    rig = await kept(CacheConfig())
    for _ in range(3):
        await rig.fetch()
    rig.inner.gate.clear()
    rig.clock.advance(4)
    await rig.fetch()
    await settle()
    rig.clock.advance(1)
    joined = asyncio.create_task(rig.fetch())
    await settle()
    rig.inner.failure = unreachable()
    rig.inner.gate.set()

    with pytest.raises(UpstreamError):
        await joined
    with pytest.raises(UpstreamError):
        await rig.fetch()
    assert rig.calls == 2


async def test_a_request_for_another_version_does_not_end_the_latest() -> None:
    rig = await kept()
    with pytest.raises(SecretNotFound):
        await rig.fetch(version="99")

    assert (await rig.fetch()).source == "cache"


async def test_a_value_kept_only_for_outages_is_never_served_without_one() -> None:
    rig = await kept(CacheConfig(ttl_seconds=0, max_stale_seconds=60))
    rig.inner.put(PATH, "new")

    assert await rig.text() == ("store", "new")
    rig.inner.failure = unreachable()
    assert await rig.text() == ("stale", "new")
