"""How long a silent store is waited for where a stale value is at hand."""

from __future__ import annotations

import asyncio

from adapters.cache.config import CacheConfig
from domain.model.errors import Unauthorized
from domain.model.selection import Selection
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, unreachable
from tests.unit.adapters.cache.stale_rig import kept


async def test_a_value_renewed_during_the_wait_is_served_as_fresh() -> None:
    rig = await kept(age=5)
    rig.inner.gate.clear()
    rig.inner.failure = unreachable()
    waiting = asyncio.create_task(rig.text())
    await settle()
    rig.cache.invalidate(Selection.everything())
    gate, rig.inner.gate = rig.inner.gate, asyncio.Event()
    rig.inner.gate.set()
    rig.inner.failure = None
    rig.inner.put(PATH, "new")
    await rig.fetch()
    rig.inner.failure = unreachable()
    gate.set()

    assert await waiting == ("cache", "new")


async def test_a_silent_store_costs_only_a_little_patience_where_a_stale_value_is_at_hand() -> None:
    rig = await kept(age=5)
    rig.inner.gate.clear()
    waiting = asyncio.create_task(rig.fetch())
    await settle()
    rig.clock.advance(1.9)
    await settle()
    assert not waiting.done()
    rig.clock.advance(0.1)

    assert (await waiting).source == "stale"
    # A request that joins the same silent call has no reason to wait at all.
    assert (await rig.fetch()).source == "stale"
    assert rig.calls == 2
    await rig.cache.aclose()


async def test_a_stale_value_is_served_before_the_deadline_and_not_at_it() -> None:
    rig = await kept(CacheConfig(max_stale_seconds=60, patience_seconds=30), age=5)
    rig.inner.gate.clear()
    waiting = asyncio.create_task(rig.fetch())
    await settle()
    rig.clock.advance(7.3)

    assert (await waiting).source == "stale"
    await rig.cache.aclose()


async def test_a_slow_answer_within_patience_is_preferred() -> None:
    rig = await kept(age=5)
    rig.inner.put(PATH, "new")
    rig.inner.gate.clear()
    waiting = asyncio.create_task(rig.text())
    await settle()
    rig.clock.advance(1.5)
    rig.inner.gate.set()

    assert await waiting == ("store", "new")


async def test_a_call_that_timed_out_counts_as_an_outage() -> None:
    rig = await kept(CacheConfig(max_stale_seconds=60, call_seconds=8), age=5)
    rig.inner.gate.clear()
    assert (await asyncio.gather(rig.fetch(), _later(rig, 2)))[0].source == "stale"
    rig.clock.advance(6)
    await settle()
    rig.inner.failure = Unauthorized("Not asked: the failure is still remembered.")

    assert (await rig.fetch()).source == "stale"


async def _later(rig: Rig, seconds: float) -> None:
    await settle()
    rig.clock.advance(seconds)
