"""A watch: what it begins with, what it tells, and how it goes on after an end."""

from __future__ import annotations

from adapters.kubernetes.answer import Answer
from adapters.kubernetes.watch import LIFE_SECONDS, LONGEST_PAUSE_SECONDS, RESUME_SECONDS
from domain.model.errors import StoreUnavailable
from tests.support.kubernetes_server import recorded_lines, recorded_result
from tests.support.settling import settle
from tests.unit.adapters.kubernetes.watch_rig import Rig, page


async def test_it_goes_on_from_a_list_of_all_that_exists_page_by_page() -> None:
    rig = Rig(lists=[page("db", more="next"), page("other", version=300)])
    stream = await rig.settle()
    await rig.stop()

    assert rig.api.list_queries == [{"limit": "500"}, {"limit": "500", "continue": "next"}]
    assert rig.watch.state.secrets == 2
    assert stream.query == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(int(LIFE_SECONDS)),
        "resourceVersion": "300",
    }
    assert rig.api.idle[0] > LIFE_SECONDS


async def test_it_is_live_once_the_watch_is_open(rig: Rig) -> None:
    await rig.live()

    assert rig.watch.is_live
    assert rig.watch.down_since is None
    assert rig.changed == []


async def test_recorded_events_are_followed(rig: Rig) -> None:
    stream = await rig.settle()
    stream.send(*recorded_lines("watch_metadata_only"))
    await rig.settle()

    assert rig.changed
    assert set(rig.changed) == {"w1"}


async def test_a_change_is_told_at_once(rig: Rig) -> None:
    stream = await rig.live()
    stream.event("MODIFIED", "db", 101)
    stream.event("ADDED", "new", 102)
    stream.event("DELETED", "db", 103)
    await rig.settle()

    assert rig.changed == ["db", "new", "db"]


async def test_after_a_clean_end_it_goes_on_from_where_it_was(rig: Rig) -> None:
    rig.draw = 0.5
    stream = await rig.live()
    rig.clock.advance(60)
    stream.bookmark(250)
    stream.end()
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS * 0.5)
    resumed = await rig.settle()

    assert resumed is not stream
    assert resumed.query["resourceVersion"] == "250"
    assert len(rig.api.list_queries) == 1
    assert int(resumed.query["timeoutSeconds"]) == int(LIFE_SECONDS * 1.25)
    assert rig.watch.is_live
    assert rig.watch.ends["ended"] == 1


async def test_a_broken_connection_is_resumed_after_a_growing_pause(rig: Rig) -> None:
    stream = await rig.live()
    stream.event("MODIFIED", "db", 101)
    stream.cut()
    await rig.settle()
    assert not rig.watch.is_live

    pauses = []
    for _ in range(12):
        rig.api.refusals = [StoreUnavailable("No connection.")]
        opened, began = len(rig.api.opened), rig.clock.monotonic()
        while len(rig.api.opened) == opened:
            rig.clock.advance(0.1)
            await rig.settle()
        pauses.append(rig.clock.monotonic() - began)

    assert pauses[0] < 0.5
    assert pauses == sorted(pauses)
    assert LONGEST_PAUSE_SECONDS / 2 <= pauses[-1] <= LONGEST_PAUSE_SECONDS
    assert rig.api.opened[-1].query["resourceVersion"] == "101"
    assert rig.watch.ends["broken"] == 13


async def test_a_place_that_is_too_old_is_begun_again_and_compared(rig: Rig) -> None:
    stream = await rig.live()
    rig.clock.advance(60)
    stream.end()
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    resumed = await rig.settle()
    rig.api.lists = [page("db", "new", version=500)]
    resumed.send(*recorded_lines("watch_gone"))
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    again = await rig.settle()

    assert again.query["resourceVersion"] == "500"
    assert rig.changed == ["new"]
    assert rig.watch.ends["expired"] == 1
    assert rig.watch.is_live


async def test_410_as_the_status_is_the_same(rig: Rig) -> None:
    stream = await rig.live()
    result = recorded_result("list_rv_exact_compacted")
    named, body = result.encoded()
    rig.api.refusals = [Answer.read(result.status, named, body)]
    rig.clock.advance(60)
    stream.end()
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    await rig.settle()

    assert len(rig.api.list_queries) == 2


async def test_a_list_that_fails_is_asked_for_again() -> None:
    expired = recorded_result("list_rv_exact_compacted")
    named, body = expired.encoded()
    rig = Rig(lists=[StoreUnavailable("No answer."), Answer.read(expired.status, named, body)])
    await settle()
    was_live = rig.watch.is_live
    for _ in range(3):
        rig.clock.advance(1)
        await settle()
    await rig.stop()

    assert not was_live
    assert rig.watch.is_live
    assert (rig.watch.ends["broken"], rig.watch.ends["expired"]) == (1, 1)


async def test_a_denial_is_kept_as_its_status_and_tried_again(rig: Rig) -> None:
    stream = await rig.live()
    result = recorded_result("watch_forbidden")
    named, body = result.encoded()
    rig.api.refusals = [Answer.read(result.status, named, body)]
    stream.cut()
    await rig.settle()
    rig.clock.advance(1)
    await rig.settle()
    assert (rig.watch.failure, rig.watch.is_live) == (403, False)

    rig.clock.advance(LONGEST_PAUSE_SECONDS)
    await rig.settle()
    assert rig.watch.is_live


async def test_the_time_to_come_back_is_kept(rig: Rig) -> None:
    stream = await rig.live()
    rig.api.refusals = [Answer(429, {}, retry_after=7)]
    stream.cut()
    await rig.settle()
    rig.clock.advance(1)
    await rig.settle()
    opened = len(rig.api.opened)

    rig.clock.advance(6.9)
    await rig.settle()
    assert len(rig.api.opened) == opened
    rig.clock.advance(0.2)
    await rig.settle()
    assert len(rig.api.opened) == opened + 1
