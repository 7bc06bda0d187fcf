"""How old an answer may be, and for whom."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.cache.config import CacheConfig
from domain.model.errors import StoreUnavailable
from tests.contracts.secret_store import CALLER
from tests.unit.adapters.cache.cache_rig import PATH, Rig, settle, unreachable, whole_caller


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


async def test_versions_places_and_encodings_are_kept_apart() -> None:
    rig = Rig()
    rig.inner.put(PATH, "first")
    rig.inner.put(PATH, "second")
    rig.inner.put(PATH, "in dev", environment="dev")

    for _ in range(2):
        assert (await rig.text(version="1"))[1] == "first"
        assert (await rig.text())[1] == "second"
        dev = await rig.request(rig.query(environment="dev"))
        assert dev.value.reveal() == "in dev"
    plain = rig.query()
    decoded = plain._replace(location=plain.location._replace(encoding="base64"))
    assert (await rig.request(decoded)).source == "store"


async def test_one_answer_serves_all_callers_of_a_store_that_answers_all_alike() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    other = replace(CALLER, application="another")
    await rig.fetch()

    assert (await rig.request(rig.query(caller=other))).source == "cache"


async def test_no_caller_gets_what_a_store_answered_another() -> None:
    rig = Rig(partition=whole_caller)
    rig.inner.put(PATH, "value")
    await rig.fetch()

    for other in (
        replace(CALLER, application="another"),
        replace(CALLER, entity=replace(CALLER.entity, issuer=CALLER.host.issuer)),
        replace(CALLER, entity=replace(CALLER.entity, tags=("admin",))),
    ):
        assert (await rig.request(rig.query(caller=other))).source == "store"
    assert (await rig.fetch()).source == "cache"


async def test_callers_of_equal_partitions_share_an_answer() -> None:
    rig = Rig(partition=lambda caller: caller.application)
    rig.inner.put(PATH, "value")
    await rig.fetch()
    alike = replace(CALLER, entity=replace(CALLER.entity, tags=("admin",)))
    other = replace(CALLER, application="another")

    sources = [(await rig.request(rig.query(caller=caller))).source for caller in (alike, other)]

    assert sources == ["cache", "store"]


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


async def test_callers_of_such_a_store_do_not_share_a_call() -> None:
    rig = Rig(partition=whole_caller)
    rig.inner.put(PATH, "value")
    callers = [replace(CALLER, application=name) for name in "ab"]

    await asyncio.gather(*(rig.request(rig.query(caller=caller)) for caller in callers))

    assert [query.caller for query in rig.inner.queries] == callers


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
