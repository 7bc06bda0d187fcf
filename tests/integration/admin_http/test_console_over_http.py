"""The console behind a real uvicorn: streams without an end, and bodies that have one."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.admin_http import bounds, connection
from adapters.admin_http.address import AdminAddress
from adapters.admin_http.app import build_app
from adapters.admin_http.bounds import KnownHostsOnly
from adapters.admin_http.readiness import Readiness
from adapters.admin_http.server import AdminHttp
from adapters.console.app import Console
from adapters.console.feed import MAX_STREAMS, RequestFeed
from adapters.console.pages import MAX_BODY_BYTES
from adapters.metrics.registry import Metrics
from adapters.system.clock import SystemClock
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.console_sources import FakeSources
from tests.unit.adapters.console.stage import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PATIENCE_SECONDS = 10.0
CLOCK = SystemClock()


class Served:
    def __init__(self) -> None:
        self.feed = RequestFeed(FakeAuditTrail())
        self.sources = FakeSources()
        self.console = Console(self.sources, self.feed, CLOCK)
        metrics = Metrics(CLOCK, version="1", store="infisical")
        app = build_app(Readiness([], CLOCK), metrics, CLOCK, console=self.console)
        self.admin = AdminHttp(
            AdminAddress("127.0.0.1", 0),
            KnownHostsOnly(app, ()),
            CLOCK,
            self.console.streams,
        )
        self.address = AdminAddress("127.0.0.1", 0)

    async def aclose(self) -> None:
        self.console.close()
        await self.admin.aclose()

    @asynccontextmanager
    async def asked(
        self, head: str, body: bytes = b""
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Send a request, and read no more than the test does."""
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        try:
            host = f"127.0.0.1:{self.address.port}"
            writer.write(f"{head}\r\nHost: {host}\r\n\r\n".encode() + body)
            yield reader, writer
        finally:
            writer.transport.abort()

    def post(self, *headers: str) -> str:
        origin = f"http://127.0.0.1:{self.address.port}"
        kind = "application/x-www-form-urlencoded"
        lines = ["POST /console/explain HTTP/1.1", f"Content-Type: {kind}", f"Origin: {origin}"]
        return "\r\n".join([*lines, *headers])


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    made.address = await made.admin.start()
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(bounds, "BODY_SECONDS", 0.1)


EVENTS = "GET /console/events HTTP/1.1"


async def until(reader: asyncio.StreamReader, text: bytes) -> bytes:
    return await asyncio.wait_for(reader.readuntil(text), _PATIENCE_SECONDS)


async def status(reader: asyncio.StreamReader) -> int:
    line = await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)
    return int(line.split(b" ")[1])


async def test_a_stream_that_is_read_outlives_the_time_of_a_request(
    served: Served, impatient: None
) -> None:
    place = served.feed.latest().place
    async with served.asked(f"GET /console/events?after={place} HTTP/1.1") as (reader, _):
        await until(reader, b"retry: 10000\n\n")
        for number in range(4):
            await asyncio.sleep(0.3)
            served.feed.record(event(number=number))
            line = (await until(reader, b"\n\n")).split(b"data: ")[1]
            assert json.loads(line)["rows"][0]["request_id"] == f"request-{number}"


async def test_a_stream_that_is_not_read_is_ended_and_makes_room(
    served: Served, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.console.feed.LOOK_SECONDS", 0.005)
    async with served.asked(EVENTS) as (reader, writer):
        await until(reader, b"retry: 10000\n\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket's transport
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while served.console._events._open:
                # Until the buffers of both ends are full.
                for number in range(200):
                    served.feed.record(event("k" * 250, number=number))
                await asyncio.sleep(0.005)

    assert await probe(served) == 200


async def test_a_path_that_is_no_stream_still_has_its_time(served: Served, impatient: None) -> None:
    async with served.asked(served.post("Content-Length: 5"), b"tok") as (reader, _):
        assert await status(reader) == 408


async def test_a_request_after_a_stream_on_one_connection_has_its_time(
    served: Served, impatient: None
) -> None:
    async with served.asked("HEAD /console/events HTTP/1.1") as (reader, writer):
        assert await status(reader) == 200
        await until(reader, b"\r\n\r\n")
        writer.write(b"GET /console HTTP/1.1\r\nHost:")
        assert await asyncio.wait_for(reader.read(), _PATIENCE_SECONDS) == b""


async def test_streams_leave_room_for_probes(served: Served) -> None:
    streams = [served.asked(EVENTS) for _ in range(MAX_STREAMS + 4)]
    found = []
    for stream in streams:
        reader, _ = await stream.__aenter__()
        found.append(await status(reader))

    assert found == [200] * MAX_STREAMS + [503] * 4
    assert await probe(served) == 200
    for stream in streams:
        await stream.__aexit__(None, None, None)


async def test_open_streams_do_not_delay_the_end(served: Served) -> None:
    async with served.asked(EVENTS) as (reader, _):
        await until(reader, b"retry: 10000\n\n")
        began = CLOCK.monotonic()

        await served.aclose()

        assert CLOCK.monotonic() - began < 1.5
        rest = await asyncio.wait_for(reader.read(), _PATIENCE_SECONDS)
        assert rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
async def test_a_body_above_the_bound_is_not_read_on(served: Served, framing: str) -> None:
    size = MAX_BODY_BYTES + 1
    body = b"t" * size
    if "chunked" in framing:
        body = f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    async with served.asked(served.post(framing.format(size)), body) as (reader, _):
        assert await status(reader) == 413
        assert b"connection: close" in (await until(reader, b"\r\n\r\n")).lower()


async def test_a_form_within_the_bound_is_judged(served: Served) -> None:
    body = b"token=" + b"t" * 1000 + b"&key=K"
    async with served.asked(served.post(f"Content-Length: {len(body)}"), body) as (reader, _):
        assert await status(reader) == 200
    assert served.sources.questions[0].token == "t" * 1000


async def test_a_page_under_a_rebound_name_is_refused(served: Served) -> None:
    reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
    writer.write(b"GET /console HTTP/1.1\r\nHost: attacker.example\r\n\r\n")

    assert await status(reader) == 421
    writer.transport.abort()


async def probe(served: Served) -> int:
    async with served.asked("GET /livez HTTP/1.1") as (reader, _):
        return await status(reader)
