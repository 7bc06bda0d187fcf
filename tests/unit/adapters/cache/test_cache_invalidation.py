"""Flushing: one secret, a folder, or everything; and what it means for calls under way."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.cache.config import CacheConfig
from domain.model.errors import InvalidRequest, SecretNotFound, UpstreamError
from domain.model.reference import SecretLocation
from domain.model.selection import Selection
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import PATH, Rig, place, unreachable

PATHS = (PATH, "/payments/live/API_KEY", "/paymentsAPI_KEY", "/other")


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (Selection.everything(), []),
        (
            Selection.one(PATH, (("environment", "prod"),)),
            ["/other", "/payments/live/API_KEY", "/paymentsAPI_KEY"],
        ),
        (Selection.one("/payments"), ["/other", "/paymentsAPI_KEY"]),
        (Selection.below("/payments"), ["/other", "/paymentsAPI_KEY"]),
        (Selection.below("/payments/"), ["/other", "/paymentsAPI_KEY"]),
        (Selection.below("/"), []),
        (Selection.below("/", (("environment", "dev"),)), sorted(PATHS)),
        (Selection.one(PATH, (("environment", "dev"),)), sorted(PATHS)),
    ],
)
async def test_exactly_what_is_selected_goes_and_is_counted(
    selection: Selection, left: list[str]
) -> None:
    rig = Rig()
    for path in PATHS:
        rig.inner.put(path, "value")
        await rig.fetch(path)

    with capture_logs() as log:
        dropped = rig.cache.invalidate(selection)

    assert dropped == len(PATHS) - len(left) == rig.cache.statistics().flushed
    assert log == [
        {"event": "cache.flushed", "values": dropped, "calls_under_way": 0, "log_level": "info"}
    ]
    assert sorted([path for path in PATHS if (await rig.fetch(path)).source == "cache"]) == left


def test_one_secret_is_meant_in_every_encoding() -> None:
    selection = Selection.one(PATH, (("environment", "prod"),))

    assert selection.matches(place()._replace(encoding="base64"))
    assert not selection.matches(SecretLocation(place().path))


@pytest.mark.parametrize("folder", ["payments", "", "/a/../b", "/a//b", "/*"])
def test_a_folder_that_could_mean_a_second_place_is_refused(folder: str) -> None:
    with pytest.raises(InvalidRequest):
        Selection.below(folder)


async def test_all_versions_of_a_secret_go_together() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    await rig.fetch()
    await rig.fetch(version="1")

    assert rig.cache.invalidate(Selection.one(PATH, (("environment", "prod"),))) == 2


async def test_a_call_begun_before_a_flush_does_not_bring_the_old_value_back() -> None:
    rig = Rig()
    rig.inner.put(PATH, "old")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.everything())
    rig.inner.gate.set()
    assert (await early).value.reveal() == "old"
    rig.inner.put(PATH, "new")

    assert await rig.text() == ("store", "new")


async def test_nobody_joins_a_call_begun_before_a_flush() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.below("/payments"))
    late = asyncio.create_task(rig.fetch())
    later = asyncio.create_task(rig.fetch())
    await settle()
    assert rig.calls == 2
    rig.inner.gate.set()
    await asyncio.gather(early, late, later)

    assert rig.calls == 2
    assert (await rig.fetch()).source == "cache"


async def test_a_call_that_was_passed_over_neither_keeps_nor_drops_anything() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.everything())
    gate, rig.inner.gate = rig.inner.gate, asyncio.Event()
    rig.inner.gate.set()
    assert (await rig.fetch()).source == "store"
    rig.inner.failure = SecretNotFound("None.")
    gate.set()
    with pytest.raises(SecretNotFound):
        await early

    assert await rig.text() == ("cache", "value")


async def test_what_lies_outside_the_selection_goes_on_being_shared() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.below("/elsewhere"))
    rig.inner.gate.set()
    await early

    assert (await rig.fetch()).source == "cache"


async def test_a_refresh_under_way_is_passed_over_too() -> None:
    rig = Rig()
    rig.inner.put(PATH, "old")
    for _ in range(3):
        await rig.fetch()
    rig.clock.advance(4)
    rig.inner.gate.clear()
    await rig.fetch()
    await settle()
    rig.cache.invalidate(Selection.everything())
    rig.inner.gate.set()
    await settle()

    assert rig.cache.statistics().entries == 0


async def test_a_flush_takes_the_stale_value_from_those_who_wait_for_a_failing_store() -> None:
    rig = Rig(CacheConfig(max_stale_seconds=60))
    rig.inner.put(PATH, "old")
    await rig.fetch()
    rig.clock.advance(5)
    rig.inner.gate.clear()
    rig.inner.failure = unreachable()
    waiting = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.everything())
    rig.clock.advance(2)
    await settle()
    assert not waiting.done()
    rig.inner.gate.set()

    with pytest.raises(UpstreamError):
        await waiting


async def test_a_flush_forgets_failures() -> None:
    rig = Rig()
    with pytest.raises(SecretNotFound):
        await rig.fetch()
    rig.inner.put(PATH, "value")
    with pytest.raises(SecretNotFound):
        await rig.fetch()

    rig.cache.invalidate(Selection.one(PATH, (("environment", "prod"),)))
    assert await rig.text() == ("store", "value")


async def test_a_call_that_crashes_after_a_flush_drops_nothing_newer() -> None:
    rig = Rig()
    rig.inner.put(PATH, "value")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.fetch())
    await settle()
    rig.cache.invalidate(Selection.everything())
    gate, rig.inner.gate = rig.inner.gate, asyncio.Event()
    rig.inner.gate.set()
    await rig.fetch()
    rig.inner.failure = LookupError()
    gate.set()
    with pytest.raises(LookupError):
        await early

    assert (await rig.fetch()).source == "cache"


async def test_a_call_begun_before_a_flush_does_not_end_or_answer_the_one_begun_after() -> None:
    rig = Rig()
    rig.inner.put(PATH, "old")
    rig.inner.gate.clear()
    early = asyncio.create_task(rig.text())
    await settle()
    rig.cache.invalidate(Selection.everything())
    gate, rig.inner.gate = rig.inner.gate, asyncio.Event()
    late = asyncio.create_task(rig.text())
    await settle()
    gate.set()
    assert await early == ("store", "old")
    assert rig.cache.statistics().entries == 0
    rig.inner.put(PATH, "new")
    joining = asyncio.create_task(rig.text())
    await settle()
    rig.inner.gate.set()

    assert await late == await joining == ("store", "new")
    assert rig.calls == 2
    assert await rig.text() == ("cache", "new")
