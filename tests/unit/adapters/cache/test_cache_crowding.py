"""A store that hangs is waited for by so many, and never at the cost of another folder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.cache.config import CacheConfig
from domain.model.errors import SecretsError, UpstreamError
from domain.model.selection import Selection
from tests.support.settling import settle
from tests.unit.adapters.cache.cache_rig import TIMEOUT, Rig

if TYPE_CHECKING:
    from domain.model.secret import Secret

SLOW, OTHER = "/slow/KEY", "/other/KEY"


class Crowd(Rig):
    """A rig whose store hangs, with room for four."""

    def __init__(self, **config: float) -> None:
        super().__init__(CacheConfig(max_waiting=4, **config))  # type: ignore[arg-type]  # of several types
        self.inner.put(SLOW, "slow")
        self.inner.put(OTHER, "other")
        self.inner.gate.clear()

    @classmethod
    async def with_stale(cls, path: str, text: str) -> Crowd:
        """A crowd to be, one of whose values was kept and is past its time."""
        rig = cls(max_stale_seconds=60, ttl_seconds=1, patience_seconds=2)
        rig.inner.put(path, text)
        rig.inner.gate.set()
        await rig.fetch(path)
        rig.inner.gate.clear()
        rig.clock.advance(2)
        return rig

    async def ask(self, path: str = SLOW) -> asyncio.Task[Secret]:
        task = asyncio.create_task(self.fetch(path))
        await settle()
        return task

    async def fill(self) -> list[asyncio.Task[Secret]]:
        return [await self.ask() for _ in range(4)]


def refusal(task: asyncio.Task[Secret]) -> SecretsError:
    error = task.exception()
    assert isinstance(error, UpstreamError)
    return error


@pytest.mark.parametrize("ttl", [0.0, 5.0])
async def test_beyond_the_places_a_request_is_refused_at_once_and_told_when_to_come_back(
    ttl: float,
) -> None:
    rig = Crowd(ttl_seconds=ttl)
    waiting = await rig.fill()
    rig.clock.advance(3)

    late = await rig.ask()

    assert refusal(late).reason == "too_many_waiting"
    assert "in 5 seconds" in refusal(late).advice
    assert rig.calls == 1
    rig.inner.gate.set()
    assert {(await task).value.reveal() for task in waiting} == {"slow"}


async def test_a_refused_request_begins_no_call() -> None:
    rig = Crowd()
    await rig.fill()

    refused = await rig.ask("/slow/ELSE")

    assert refusal(refused).reason == "too_many_waiting"
    assert {query.location.path for query in rig.inner.queries} == {SLOW}
    rig.clock.advance(TIMEOUT)
    await settle()


async def test_another_folder_takes_the_place_of_the_last_one_in_the_longest_line() -> None:
    rig = Crowd()
    waiting = await rig.fill()

    others = [await rig.ask(OTHER) for _ in range(3)]

    assert [task.done() for task in waiting] == [False, False, True, True]
    assert [task.done() for task in others] == [False, False, True]
    assert {refusal(task).reason for task in (*waiting[2:], others[2])} == {"too_many_waiting"}
    rig.inner.gate.set()
    assert {(await task).value.reveal() for task in waiting[:2]} == {"slow"}
    assert {(await task).value.reveal() for task in others[:2]} == {"other"}


async def test_what_is_at_hand_is_answered_however_many_wait() -> None:
    rig = Crowd()
    rig.inner.gate.set()
    await rig.fetch(OTHER)
    rig.inner.gate.clear()
    await rig.fill()

    assert await rig.text(OTHER) == ("cache", "other")
    rig.clock.advance(TIMEOUT)
    await settle()


async def test_a_stale_value_stands_in_for_a_place() -> None:
    rig = await Crowd.with_stale("/slow/KEPT", "kept")
    await rig.fill()

    assert await rig.text("/slow/KEPT") == ("stale", "kept")
    statistics = rig.cache.statistics()
    assert (statistics.refused, statistics.stale) == (1, 1)
    rig.clock.advance(TIMEOUT)
    await settle()


async def test_whoever_gives_way_gets_a_stale_value_if_there_is_one() -> None:
    rig = await Crowd.with_stale(SLOW, "slow")
    waiting = await rig.fill()

    other = await rig.ask(OTHER)

    secret = await waiting[3]
    assert (secret.source, secret.value.reveal()) == ("stale", "slow")
    assert not other.done()
    rig.clock.advance(TIMEOUT)
    await settle()


@pytest.mark.parametrize("end", ["answer", "deadline", "cancellation", "failure"])
async def test_every_way_to_stop_waiting_makes_room(end: str) -> None:
    rig = Crowd()
    waiting = await rig.fill()
    assert rig.cache.statistics().waiting == 4

    if end == "deadline":
        rig.clock.advance(TIMEOUT)
    elif end == "cancellation":
        for task in waiting:
            task.cancel()
    else:
        if end == "failure":
            rig.inner.failure = LookupError()
        rig.inner.gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    await settle()

    statistics = rig.cache.statistics()
    assert (statistics.waiting, statistics.waiting_limit) == (0, 4)


async def test_a_refused_request_is_counted_once_whether_it_came_too_late_or_gave_way() -> None:
    rig = Crowd()
    waiting = await rig.fill()
    await rig.ask()
    await rig.ask(OTHER)

    statistics = rig.cache.statistics()
    assert (statistics.misses, statistics.shared, statistics.refused) == (2, 3, 2)
    rig.inner.gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_flush_while_others_wait_leaves_their_places() -> None:
    rig = Crowd()
    waiting = await rig.fill()

    rig.cache.invalidate(Selection.everything())

    assert refusal(await rig.ask()).reason == "too_many_waiting"
    rig.inner.gate.set()
    assert {(await task).value.reveal() for task in waiting} == {"slow"}


async def test_whoever_gives_way_after_its_stale_value_was_flushed_is_refused() -> None:
    rig = await Crowd.with_stale(SLOW, "slow")
    waiting = await rig.fill()
    rig.cache.invalidate(Selection.everything())

    await rig.ask(OTHER)

    assert refusal(waiting[3]).reason == "too_many_waiting"
    rig.clock.advance(TIMEOUT)
    await settle()
