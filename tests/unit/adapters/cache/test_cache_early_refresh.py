"""Values that are much asked for are fetched before they expire."""

from __future__ import annotations

import asyncio

from adapters.cache.config import CacheConfig
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig


async def test_a_much_asked_value_is_fetched_anew_before_it_expires() -> None:
    rig = Rig()
    rig.inner.put(PATH, "old")
    for _ in range(3):
        await rig.fetch()
    rig.inner.put(PATH, "new")
    rig.clock.advance(4)

    assert await rig.text() == ("cache", "old")
    await settle()
    assert await rig.text() == ("cache", "new")
    rig.clock.advance(3.9)
    assert await rig.text() == ("cache", "new")
    assert rig.calls == 2
    assert rig.cache.statistics().refreshes == 1


async def test_a_value_asked_for_now_and_then_is_left_to_expire() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()
    rig.clock.advance(4.5)
    await rig.fetch()
    await settle()

    assert rig.calls == 1


async def test_many_hits_begin_one_refresh_and_wait_for_none() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()
    rig.clock.advance(4.5)
    rig.inner.gate.clear()

    for _ in range(50):
        assert (await rig.fetch()).source == "cache"
    await settle()

    assert rig.calls == 2
    await rig.cache.aclose()


async def test_a_request_after_expiry_joins_the_refresh_under_way() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    for _ in range(4):
        await rig.fetch()
    rig.clock.advance(4.5)
    rig.inner.gate.clear()
    await rig.fetch()
    await settle()
    rig.clock.advance(0.5)
    late = asyncio.create_task(rig.fetch())
    await settle()
    rig.inner.gate.set()

    assert (await late).source == "store"
    assert rig.calls == 2
    assert rig.cache.statistics().shared == 1


async def test_a_refresh_share_of_one_means_never() -> None:
    rig = Rig(CacheConfig(refresh_share=1))
    rig.inner.put(PATH, "value")
    await rig.fetch()
    rig.clock.advance(4.999)
    for _ in range(10):
        await rig.fetch()
    await settle()

    assert rig.calls == 1
