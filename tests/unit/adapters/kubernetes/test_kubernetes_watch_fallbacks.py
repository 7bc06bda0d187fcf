"""Watches of servers that send no initial events, end at once or may be gone."""

from __future__ import annotations

import asyncio

from adapters.kubernetes.answer import Answer
from adapters.kubernetes.watch import (
    INITIAL_SECONDS,
    LONGEST_PAUSE_SECONDS,
    REOPEN_SECONDS,
    RESUME_SECONDS,
)
from domain.model.errors import StoreUnavailable
from tests.support.kubernetes_server import recorded_result
from tests.unit.adapters.kubernetes.watch_rig import Rig


def page(*names: str, version: int = 300, more: str = "") -> Answer:
    items = [
        {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "7"}} for name in names
    ]
    metadata = {"resourceVersion": str(version), **({"continue": more} if more else {})}
    return Answer(200, {"metadata": metadata, "items": items})


async def test_a_server_that_sends_no_initial_events_is_listed_page_by_page(rig: Rig) -> None:
    result = recorded_result("watch_list_without_match")
    named, body = result.encoded()
    assert result.status == 422
    rig.api.lists = [page("db", more="next"), page("other")]
    first = await rig.settle()
    first.answer = Answer(200, {})
    first.cut()
    rig.api.refusals = [Answer.read(result.status, named, body)]
    await rig.settle()
    rig.clock.advance(1)
    await rig.settle()
    rig.clock.advance(1)
    stream = await rig.settle()

    assert rig.api.list_queries == [{"limit": "500"}, {"limit": "500", "continue": "next"}]
    assert stream.query["resourceVersion"] == "300"
    assert rig.watch.is_live
    stream.event("MODIFIED", "other", 301)
    await rig.settle()
    assert rig.changed == ["other"]


async def test_a_server_that_never_tells_of_the_end_is_listed(rig: Rig) -> None:
    stream = await rig.settle()
    stream.event("ADDED", "db", 7)
    rig.api.lists = [page("db")]
    await rig.settle()
    rig.clock.advance(INITIAL_SECONDS)
    await rig.settle()
    rig.clock.advance(1)
    await rig.settle()

    assert rig.watch.is_live
    assert rig.watch.state.version == "300"


async def test_a_watch_that_ends_as_soon_as_it_begins_is_not_opened_in_a_tight_loop(
    rig: Rig,
) -> None:
    stream = await rig.live()
    rig.clock.advance(60)
    stream.end()
    for _ in range(20):
        await rig.settle()
        rig.clock.advance(0.5)
        stream = await rig.settle()
        stream.end()

    assert len(rig.api.opened) < 12


async def test_an_unreadable_line_ends_the_watch_and_it_is_resumed(rig: Rig) -> None:
    stream = await rig.live()
    stream.fed.put_nowait(b"canary <html>\n")
    await rig.settle()
    rig.clock.advance(1)
    resumed = await rig.settle()

    assert resumed.query["resourceVersion"] == "100"
    assert rig.watch.ends["broken"] == 1


async def test_where_the_role_names_secrets_each_is_selected_by_name() -> None:
    rig = Rig("db")
    stream = await rig.settle()
    rig.task.cancel()
    await asyncio.gather(rig.task, return_exceptions=True)

    assert stream.query["fieldSelector"] == "metadata.name=db"


async def test_a_watch_whose_server_may_be_gone_is_opened_again_from_where_it_was(
    rig: Rig,
) -> None:
    stream = await rig.live()
    stream.bookmark(250)
    await rig.settle()
    rig.clock.advance(REOPEN_SECONDS)
    rig.watch.reopen()
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    again = await rig.settle()

    assert again is not stream
    assert again.query["resourceVersion"] == "250"
    assert rig.watch.ends["reopened"] == 1


async def test_a_watch_that_was_just_opened_is_left_alone(rig: Rig) -> None:
    stream = await rig.live()
    rig.watch.reopen()
    rig.clock.advance(RESUME_SECONDS)

    assert await rig.settle() is stream


async def test_it_ends_when_it_is_cancelled_while_it_is_opened_again(rig: Rig) -> None:
    await rig.live()
    rig.clock.advance(REOPEN_SECONDS)
    rig.watch.reopen()
    rig.task.cancel()
    await asyncio.gather(rig.task, return_exceptions=True)

    assert rig.task.cancelled()


async def test_a_watch_that_waits_is_opened_as_soon_as_its_server_is_said_to_be_back(
    rig: Rig,
) -> None:
    rig.api.refusals = [StoreUnavailable("No answer.") for _ in range(60)]
    (await rig.settle()).cut()
    for _ in range(20):
        rig.clock.advance(LONGEST_PAUSE_SECONDS)
        await rig.settle()
    stream = await rig.settle()
    rig.api.refusals = [StoreUnavailable("Not yet.")]
    rig.watch.hasten()
    assert await rig.settle() is not stream

    # The next pauses begin short again.
    rig.clock.advance(2 * RESUME_SECONDS)
    await rig.settle()
    await rig.live()
    assert rig.watch.is_live
