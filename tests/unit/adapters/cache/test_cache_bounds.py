"""How much is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.cache.config import CacheConfig
from adapters.cache.failures import MAX_FAILURES, FailureMemory
from adapters.cache.key import key_bytes
from domain.model.errors import SecretNotFound
from domain.model.selection import Selection
from tests.contracts.secret_store import CALLER
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, place, unreachable


async def test_the_least_recently_used_value_goes_first() -> None:
    rig = Rig(CacheConfig(max_entries=2))
    for name in "abc":
        rig.inner.put(f"/{name}", name)
    await rig.fetch("/a")
    await rig.fetch("/b")
    await rig.fetch("/a")
    await rig.fetch("/c")

    statistics = rig.cache.statistics()
    assert (statistics.entries, statistics.evictions) == (2, 1)
    assert [(await rig.fetch(f"/{name}")).source for name in "acb"] == ["cache", "cache", "store"]


async def test_bytes_are_bounded_and_counted() -> None:
    rig = Rig(CacheConfig(max_bytes=20_000))
    for number in range(10):
        rig.inner.put(f"/{number}", "x" * 5000)
        await rig.fetch(f"/{number}")
        statistics = rig.cache.statistics()
        assert 5000 * statistics.entries < statistics.bytes <= 20_000

    assert rig.cache.statistics().entries == 3
    rig.cache.invalidate(Selection.everything())
    assert rig.cache.statistics().bytes == 0


async def test_a_value_larger_than_all_the_room_is_served_and_pushes_nothing_out() -> None:
    rig = Rig(CacheConfig(max_bytes=5000))
    rig.inner.put("/small", "x")
    rig.inner.put("/large", "x" * 5000)
    await rig.fetch("/small")

    assert await rig.text("/large") == ("store", "x" * 5000)
    assert (await rig.fetch("/large")).source == "store"
    assert (await rig.fetch("/small")).source == "cache"


async def test_a_value_that_grew_too_large_does_not_leave_the_old_one_behind() -> None:
    rig = Rig(CacheConfig(max_bytes=5000, max_stale_seconds=60))
    rig.inner.put(PATH, "old")
    await rig.fetch()
    rig.inner.put(PATH, "x" * 5000)
    rig.clock.advance(5)
    await rig.fetch()

    assert rig.cache.statistics().entries == 0
    assert rig.cache.statistics().bytes == 0


async def test_values_whose_time_is_over_make_room_without_counting_as_evicted() -> None:
    rig = Rig()
    for number in range(10):
        rig.inner.put(f"/{number}", "x")
        await rig.fetch(f"/{number}")
    rig.clock.advance(5)
    await rig.fetch("/9")

    statistics = rig.cache.statistics()
    assert (statistics.entries, statistics.evictions) == (1, 0)


async def test_asking_for_what_is_not_there_pushes_no_value_out() -> None:
    rig = Rig(CacheConfig(max_entries=2))
    rig.inner.put(PATH, "value")
    await rig.fetch()
    for number in range(50):
        with pytest.raises(SecretNotFound):
            await rig.fetch(f"/missing/{number}")

    assert (await rig.fetch()).source == "cache"


def test_what_a_caller_says_of_itself_counts() -> None:
    wordy = replace(CALLER, host=replace(CALLER.host, labels=(("label", "é" * 10_000),)))

    assert key_bytes((place(), None, wordy)) > 40_000
    assert key_bytes((place(), None, CALLER)) > key_bytes((place(), None, None))


def test_failures_are_bounded_and_do_not_outlive_their_time() -> None:
    memory = FailureMemory(1.0)
    failure = SecretNotFound("None.")
    for number in range(MAX_FAILURES + 10):
        memory.keep((place(f"/{number}"), None, None), failure, 0.0)
    assert len(memory) == MAX_FAILURES
    assert memory.get((place("/9"), None, None), 0.0) is None
    assert memory.get((place("/10"), None, None), 0.999) is failure
    assert memory.get((place("/10"), None, None), 1.0) is None

    memory.keep((place(), None, None), failure, 1.0)
    assert len(memory) == 1


def test_a_failure_met_again_lives_its_whole_time_and_holds_no_other_up() -> None:
    memory = FailureMemory(1.0)
    failure = SecretNotFound("None.")
    again, once, last = [(place(path), None, None) for path in ("/again", "/once", "/last")]
    memory.keep(again, failure, 0.0)
    memory.keep(once, failure, 0.1)
    memory.keep(again, failure, 0.9)
    memory.keep(last, failure, 1.5)

    assert memory.get(again, 1.8) is failure
    assert len(memory) == 2


def test_a_negative_time_of_zero_remembers_nothing() -> None:
    memory = FailureMemory(0.0)
    memory.keep((place(), None, None), SecretNotFound("None."), 0.0)

    assert len(memory) == 0


async def test_a_refresh_may_fail_after_its_value_was_pushed_out() -> None:
    rig = Rig(CacheConfig(max_entries=1))
    rig.inner.put(PATH, "value")
    rig.inner.put("/other", "value")
    for _ in range(3):
        await rig.fetch()
    rig.clock.advance(4)
    gate = rig.inner.gate
    gate.clear()
    await rig.fetch()
    await settle()
    rig.inner.gate = asyncio.Event()
    rig.inner.gate.set()
    await rig.fetch("/other")
    rig.inner.failure = unreachable()
    gate.set()
    await settle()

    rig.inner.failure = None
    assert await rig.text() == ("store", "value")
