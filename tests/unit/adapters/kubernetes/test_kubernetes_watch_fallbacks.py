"""Watches that end at once, and watches of servers that may be gone."""

from __future__ import annotations

import asyncio

from adapters.kubernetes.watch import LONGEST_PAUSE_SECONDS, REOPEN_SECONDS, RESUME_SECONDS
from domain.model.errors import StoreUnavailable
from tests.unit.adapters.kubernetes.watch_rig import Rig


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
    await rig.stop()

    assert stream.query["fieldSelector"] == "metadata.name=db"
    assert rig.api.list_queries[0]["fieldSelector"] == "metadata.name=db"


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
