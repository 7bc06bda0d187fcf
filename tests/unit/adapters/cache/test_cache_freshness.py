"""How old an answer may be."""

from __future__ import annotations

import asyncio

import pytest

from adapters.cache.config import CacheConfig
from domain.model.errors import StoreUnavailable
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, unreachable


async def test_the_second_request_is_answered_from_memory_and_says_so() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")

    assert await rig.text() == ("store", "value")
    assert await rig.text() == ("cache", "value")
    assert rig.calls == 1
    assert (rig.cache.statistics().hits, rig.cache.statistics().misses) == (1, 1)


async def test_a_rotated_value_is_served_after_the_ttl_and_never_later() -> None:
    rig = Rig()
    rig.inner.put(PATH, "old")
    await rig.fetch()
    rig.inner.put(PATH, "new")

    rig.clock.advance(4.999)
    assert await rig.text() == ("cache", "old")
    rig.clock.advance(0.001)
    assert await rig.text() == ("store", "new")


async def test_age_counts_from_when_the_store_was_asked() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    slow = asyncio.create_task(rig.fetch())
    await settle()
    rig.clock.advance(4)
    rig.inner.gate.set()
    await slow

    rig.clock.advance(0.9)
    assert (await rig.fetch()).source == "cache"
    rig.clock.advance(0.1)
    assert (await rig.fetch()).source == "store"


async def test_an_answer_that_took_longer_than_the_ttl_is_not_kept() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    slow = asyncio.create_task(rig.fetch())
    await settle()
    rig.clock.advance(6)
    rig.inner.gate.set()

    assert (await slow).source == "store"
    assert rig.cache.statistics().entries == 0


async def test_jitter_only_ever_shortens_a_lifetime() -> None:
    rig = Rig(CacheConfig(ttl_seconds=10, jitter_share=0.2))
    rig.inner.put(PATH, "value")
    rig.draw = 0.5
    await rig.fetch()

    rig.clock.advance(8.99)
    assert (await rig.fetch()).source == "cache"
    rig.clock.advance(0.01)
    assert (await rig.fetch()).source == "store"


async def test_values_read_together_expire_apart() -> None:
    rig = Rig(CacheConfig(ttl_seconds=10, jitter_share=0.2))
    for number in range(4):
        rig.inner.put(f"/{number}", "value")
        rig.draw = number / 4
        await rig.fetch(f"/{number}")

    rig.clock.advance(9.2)
    sources = [(await rig.fetch(f"/{number}")).source for number in range(4)]

    assert sources == ["cache", "cache", "store", "store"]


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_jump_of_the_wall_clock_changes_nothing(jump: float) -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()

    rig.clock.jump(jump)
    assert (await rig.fetch()).source == "cache"
    rig.clock.advance(5)
    assert (await rig.fetch()).source == "store"


@pytest.mark.parametrize(
    ("max_age", "source_at"),
    [
        (2.0, {1.9: "cache", 2.0: "store"}),
        (60.0, {4.9: "cache", 5.0: "store"}),
        (0.0, {0.0: "store"}),
    ],
)
async def test_a_value_is_cached_no_longer_than_the_store_says(
    max_age: float, source_at: dict[float, str]
) -> None:
    for seconds, source in source_at.items():
        rig = Rig()
        rig.inner.put(PATH, "value")
        rig.inner.max_age_seconds = max_age
        await rig.fetch()
        rig.clock.advance(seconds)

        assert (await rig.fetch()).source == source


async def test_a_value_is_not_served_stale_beyond_the_age_that_the_store_allows() -> None:
    rig = Rig(CacheConfig(max_stale_seconds=60))
    rig.inner.put(PATH, "value")
    rig.inner.max_age_seconds = 7.0
    await rig.fetch()
    rig.inner.failure = unreachable()

    rig.clock.advance(6.9)
    assert (await rig.fetch()).source == "stale"
    rig.clock.advance(0.1)
    with pytest.raises(StoreUnavailable):
        await rig.fetch()


async def test_a_cached_answer_keeps_the_note_of_how_it_was_read() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.note = "read_elsewhere"

    notes = [(await rig.fetch()).note for _ in range(2)]

    assert notes == ["read_elsewhere"] * 2


async def test_a_cached_answer_keeps_how_its_fields_are_read() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.field_encoding = "base64"

    encodings = [(await rig.fetch()).field_encoding for _ in range(2)]

    assert encodings == ["base64"] * 2


async def test_only_a_fresh_value_is_cached() -> None:
    rig = Rig(CacheConfig(max_stale_seconds=60))
    rig.inner.put(PATH, "value")
    query = rig.query()

    before = rig.cache.cached(query)
    await rig.fetch()
    fresh = rig.cache.cached(query)
    rig.clock.advance(5)
    after = rig.cache.cached(query)

    assert fresh is not None
    assert (before, fresh.source, after) == (None, "cache", None)
    assert rig.calls == 1
