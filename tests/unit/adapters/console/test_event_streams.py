"""Server-sent events: what they say, how many there are, and how they end."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from adapters.console.feed import (
    LONGEST_SECONDS,
    LOOK_SECONDS,
    MAX_STREAMS,
    SILENT_SECONDS,
    EventStreams,
    RequestFeed,
)
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.unit.adapters.console.stage import HOSTILE, event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Events:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.feed = RequestFeed(FakeAuditTrail())
        self.streams = EventStreams(self.feed, lambda: {"answered granted": 1.0}, self.clock)

    async def open(self, query: str = "", **headers: str) -> AsyncGenerator[bytes, None]:
        """Open a stream after its first line, which says when to come back."""
        response = await self.respond(query, **headers)
        assert isinstance(response, StreamingResponse)
        assert response.media_type == "text/event-stream"
        body: Any = response.body_iterator
        assert (await anext(body)).startswith(b"retry: ")
        return body  # type: ignore[no-any-return]

    async def respond(self, query: str = "", **headers: str) -> Any:
        pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/console/events",
            "query_string": query.encode(),
            "headers": pairs,
        }
        return await self.streams.respond(Request(scope))

    async def after(self, body: AsyncGenerator[bytes, None], seconds: float) -> bytes:
        """Return the next message, once so much time has passed in small steps."""
        waiting = asyncio.ensure_future(anext(body))
        for _ in range(int(seconds / LOOK_SECONDS) + 1):
            await asyncio.sleep(0)
            self.clock.advance(LOOK_SECONDS)
        return await asyncio.wait_for(waiting, 1)


@pytest.fixture
def events() -> Events:
    return Events()


def data(message: bytes) -> dict[str, Any]:
    (line,) = [line for line in message.decode("ascii").split("\n") if line.startswith("data: ")]
    read: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return read


async def test_it_begins_with_what_is_kept_and_goes_on_with_what_comes(events: Events) -> None:
    events.feed.record(event(number=1))
    body = await events.open()

    first = data(await anext(body))
    events.feed.record(event(number=2))
    second = data(await events.after(body, LOOK_SECONDS))

    assert [row["request_id"] for row in first["rows"]] == ["request-1"]
    assert [row["request_id"] for row in second["rows"]] == ["request-2"]
    assert second["counts"] == {"answered granted": 1.0}


@pytest.mark.parametrize("given", ["query", "last_event_id"])
async def test_it_goes_on_after_the_place_that_is_given(events: Events, given: str) -> None:
    events.feed.record(event(number=1))
    place = events.feed.latest().place
    events.feed.record(event(number=2))

    if given == "query":
        body = await events.open(f"after={place}")
    else:
        body = await events.open("after=old", last_event_id=place)

    assert [row["request_id"] for row in data(await anext(body))["rows"]] == ["request-2"]


async def test_texts_of_peers_cannot_end_a_message_or_begin_another(events: Events) -> None:
    hostile = f"a\n\nevent: requests\ndata: x\r\n\u2028{HOSTILE}"
    events.feed.record(event(hostile, name=hostile))
    body = await events.open()

    message = await anext(body)

    assert message.count(b"\n\n") == 1
    assert b"\r" not in message
    assert data(message)["rows"][0]["key"] == hostile


async def test_many_requests_between_two_looks_are_one_message(events: Events) -> None:
    body = await events.open(f"after={events.feed.latest().place}")
    waiting = asyncio.ensure_future(anext(body))
    await asyncio.sleep(0)
    for number in range(500):
        events.feed.record(event(number=number))
    events.clock.advance(LOOK_SECONDS)

    found = data(await waiting)

    assert len(found["rows"]) == 200
    assert found["missed"] == 300


async def test_silence_is_broken_by_a_comment(events: Events) -> None:
    body = await events.open(f"after={events.feed.latest().place}")

    assert (await events.after(body, SILENT_SECONDS)).startswith(b": ")


async def test_there_are_only_so_many_streams_and_one_that_ends_makes_room(events: Events) -> None:
    bodies = [await events.open() for _ in range(MAX_STREAMS)]

    refused = await events.respond()
    await bodies[0].aclose()

    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert (await events.respond()).status_code == 200


async def test_a_stream_that_is_never_begun_takes_no_place(events: Events) -> None:
    for _ in range(MAX_STREAMS * 2):
        assert (await events.respond()).status_code == 200

    assert (await events.respond()).status_code == 200


async def test_streams_that_begin_at_the_same_time_are_bounded_as_well(events: Events) -> None:
    responses = [await events.respond() for _ in range(MAX_STREAMS + 3)]

    begun = []
    for response in responses:
        body = response.body_iterator
        begun += [body] if await anext(body, None) else []

    assert len(begun) == MAX_STREAMS


async def test_it_ends_after_an_hour_for_the_browser_to_come_back(events: Events) -> None:
    body = await events.open(f"after={events.feed.latest().place}")
    waiting = asyncio.ensure_future(anext(body, b"the end"))
    await asyncio.sleep(0)

    events.clock.advance(LONGEST_SECONDS)

    assert await waiting in {b"the end", b": nothing happened\n\n"}
    assert await anext(body, b"the end") == b"the end"


async def test_closing_ends_every_stream_and_opens_none(events: Events) -> None:
    body = await events.open(f"after={events.feed.latest().place}")
    waiting = asyncio.ensure_future(anext(body, b"the end"))
    await asyncio.sleep(0)

    events.streams.close()
    events.clock.advance(LOOK_SECONDS)

    assert await waiting == b"the end"
    assert (await events.respond()).status_code == 503
