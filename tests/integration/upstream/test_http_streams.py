"""Responses that go on: how long is waited for them, and what ends them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.streams import HttpStreams
from domain.model.errors import StoreTooSlow, StoreUnavailable
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from adapters.upstream.http1.streamed_response import StreamedResponse

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
SECONDS = 0.2


class Server(LocalServer):
    """Answers with a head and one piece. Attributes: `begun`; `writer` of the last answer."""

    def __init__(self) -> None:
        super().__init__()
        self.head = HEAD
        self.begun = asyncio.Event()
        self.writer: asyncio.StreamWriter

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.head + b"1\r\na\r\n")
        self.writer = writer
        self.begun.set()
        await reader.read()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


class Client:
    def __init__(self, address: str) -> None:
        self.streams = HttpStreams(
            UpstreamConfig(
                "Store",
                "store",
                f"http://{address}",
                "URL",
                "CA",
                connect_timeout_seconds=SECONDS,
                read_timeout_seconds=SECONDS,
            )
        )

    def open(self) -> AbstractAsyncContextManager[StreamedResponse]:
        return self.streams.open("/x", headers={}, query={"watch": "1"})

    async def pieces(self, idle_seconds: float) -> AsyncIterator[bytes]:
        async with self.open() as stream:
            async for piece in stream.chunks(idle_seconds):
                yield piece


async def test_a_lookup_that_hangs_ends_a_stream_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    client = Client("store.test:1")
    async with asyncio.timeout(5):
        with pytest.raises(StoreTooSlow):
            async with client.open():
                pass
    await client.streams.aclose()


async def test_a_piece_that_came_while_the_event_loop_was_held_up_is_no_silence(
    server: Server,
) -> None:
    client = Client(server.address)

    def hold_up() -> None:
        server.writer.write(b"1\r\nb\r\n")
        time.sleep(2 * SECONDS)

    async with client.open() as stream:
        pieces = stream.chunks(SECONDS)
        assert await anext(pieces) == b"a"
        asyncio.get_running_loop().call_later(SECONDS / 4, hold_up)
        assert await anext(pieces) == b"b"
        server.writer.write(b"1\r\nc\r\n")
        assert await anext(pieces) == b"c"
    await client.streams.aclose()


async def test_a_silent_stream_is_given_up(server: Server) -> None:
    client = Client(server.address)
    pieces = client.pieces(SECONDS)
    assert await anext(pieces) == b"a"
    with pytest.raises(StoreTooSlow):
        await anext(pieces)
    await client.streams.aclose()


@pytest.mark.parametrize("head", [HEAD, b"HTTP/1.0 200 OK\r\n\r\n"])
async def test_closing_is_no_proper_end_of_a_body(server: Server, head: bytes) -> None:
    server.head = head
    client = Client(server.address)
    pieces = client.pieces(5.0)
    await anext(pieces)
    await client.streams.aclose()
    with pytest.raises(StoreUnavailable):
        await anext(pieces)
