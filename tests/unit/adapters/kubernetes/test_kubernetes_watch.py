"""The life of a watch: begun, followed, resumed, begun again, and kept from tight loops."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.kubernetes.answer import Answer
from adapters.kubernetes.watch import (
    INITIAL_SECONDS,
    LIFE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    METADATA,
    REOPEN_SECONDS,
    RESUME_SECONDS,
    SecretWatch,
)
from adapters.kubernetes.watch_api import Stream, WatchApi
from adapters.kubernetes.watch_list import METADATA_LIST
from domain.model.errors import StoreUnavailable
from tests.fakes.clock import FakeClock
from tests.support.kubernetes_server import recorded_lines, recorded_result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

OVER = object()


@dataclass
class Opened(Stream):
    """One watch that a test feeds.

    Attributes:
        fed: pieces of the body; `OVER` ends it cleanly, an exception breaks it.
    """

    query: Mapping[str, str]
    answer: Answer = field(default_factory=lambda: Answer(200, {}))
    fed: asyncio.Queue[object] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.chunks = self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self.fed.get()) is not OVER:
            if isinstance(piece, Exception):
                raise piece
            assert isinstance(piece, bytes)
            yield piece

    def send(self, *lines: dict[str, Any]) -> None:
        for line in lines:
            self.fed.put_nowait(json.dumps(line).encode() + b"\n")

    def event(self, kind: str, name: str, version: int) -> None:
        metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
        self.send({"type": kind, "object": {"metadata": metadata}})

    def bookmark(self, version: int, **annotations: str) -> None:
        marks = {"k8s.io/initial-events-end": "true"} if annotations else {}
        metadata = {"resourceVersion": str(version), "annotations": marks}
        self.send({"type": "BOOKMARK", "object": {"metadata": metadata}})

    def complete(self, version: int = 100) -> None:
        self.bookmark(version, end="true")

    def end(self) -> None:
        self.fed.put_nowait(OVER)

    def cut(self) -> None:
        self.fed.put_nowait(StoreUnavailable("The connection broke."))


class FakeApi(WatchApi):
    """Attributes: `refusals`, answers to the next watches; `lists`, answers to the next lists."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.refusals: list[Answer | Exception] = []
        self.lists: list[Answer] = []
        self.list_queries: list[Mapping[str, str]] = []
        self.idle: list[float] = []
        self.accepts: list[str] = []

    @override
    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], *, accept: str, idle_seconds: float
    ) -> AsyncIterator[Stream]:
        assert path == "/api/v1/namespaces/shop/secrets"
        stream = Opened(query)
        self.opened.append(stream)
        self.idle.append(idle_seconds)
        self.accepts.append(accept)
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            stream.answer = refusal
        yield stream

    @override
    async def get(self, path: str, query: Mapping[str, str], *, accept: str) -> Answer:
        assert accept == METADATA_LIST
        self.list_queries.append(query)
        return self.lists.pop(0)


class Rig:
    """Attributes: `changed`, the names of changed Secrets, in order; `draw`, the jitter."""

    def __init__(self, name: str | None = None) -> None:
        self.clock = FakeClock()
        self.api = FakeApi()
        self.changed: list[str] = []
        self.draw = 0.0
        self.watch = SecretWatch(
            self.api,
            "shop",
            name,
            clock=self.clock,
            jitter=lambda: self.draw,
            on_changed=self.changed.extend,
        )
        self.task = asyncio.create_task(self.watch.run())

    async def settle(self) -> Opened:
        """Let everything run that can, and return the newest watch."""
        for _ in range(30):
            await asyncio.sleep(0)
        return self.api.opened[-1]

    async def live(self) -> Opened:
        """Return a watch whose initial events are over."""
        stream = await self.settle()
        stream.event("ADDED", "db", 7)
        stream.complete()
        await self.settle()
        return stream


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_it_begins_with_all_that_exists_and_asks_for_metadata_only(rig: Rig) -> None:
    stream = await rig.settle()

    assert stream.query == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(int(LIFE_SECONDS)),
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }
    assert rig.api.accepts == [METADATA]
    assert rig.api.idle[0] > LIFE_SECONDS
    assert not rig.watch.is_live


async def test_it_is_live_once_the_initial_events_are_over(rig: Rig) -> None:
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
    assert "sendInitialEvents" not in resumed.query
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
    resumed.send(*recorded_lines("watch_gone"))
    await rig.settle()
    rig.clock.advance(RESUME_SECONDS)
    again = await rig.settle()
    assert again.query["sendInitialEvents"] == "true"
    again.event("ADDED", "db", 7)
    again.event("ADDED", "new", 400)
    again.complete(500)
    await rig.settle()

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
    again = await rig.settle()

    assert again.query["sendInitialEvents"] == "true"


async def test_initial_events_that_break_off_are_begun_again(rig: Rig) -> None:
    stream = await rig.settle()
    stream.event("ADDED", "db", 7)
    stream.cut()
    await rig.settle()
    rig.clock.advance(1)
    again = await rig.settle()
    again.complete()
    await rig.settle()

    assert again.query["sendInitialEvents"] == "true"
    assert rig.watch.is_live
    assert rig.watch.state.secrets == 0


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
