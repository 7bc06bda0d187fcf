"""Which connection a request goes out on, and when connections end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http1 import pool
from adapters.upstream.message import UpstreamRequest
from tests.integration.upstream.http_stage import OK, Client, Server
from tests.support.local_server import LocalServer
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    client = Client(server.address, max_connections=4)
    yield client
    await client.engine.aclose()


async def test_no_more_connections_are_open_than_allowed(server: Server, client: Client) -> None:
    server.delay = 0.02
    await client.together(20)

    assert server.made == 4


async def test_connections_that_are_idle_for_too_long_are_closed(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_CONNECTION_SECONDS", 0.2)
    monkeypatch.setattr(pool, "_SWEEP_SECONDS", 0.1)
    server.delay = 0.02
    await client.together(4)
    assert server.open == 4

    await until(lambda: server.open == 0)
    await client.get()

    assert server.made == 5


async def test_a_connection_is_used_for_nothing_more_once_something_unasked_came(
    server: Server, client: Client
) -> None:
    server.response = OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
    bodies = [(await client.get()).body for _ in range(3)]

    assert bodies == [b"ok"] * 3
    assert server.made == 3


async def test_a_response_that_comes_while_nothing_is_asked_ends_the_connection() -> None:
    async with Forging() as server:
        client = Client(server.address)
        first = await client.get()
        await until(lambda: server.ended == 1)
        second = await client.get()
        await client.engine.aclose()

        assert (first.body, second.body) == (b"ok", b"ok")
        assert server.made == 2


class Forging(LocalServer):
    """Answers, and once more a moment later. Attributes: connections `made`, and `ended`."""

    def __init__(self) -> None:
        super().__init__()
        self.made = self.ended = 0

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(OK.replace(b"ok", b"no"))
        await writer.drain()
        await reader.read()
        self.ended += 1


async def test_dropped_connections_end_when_their_calls_have(
    server: Server, client: Client
) -> None:
    server.delay = 0.2
    call = asyncio.create_task(client.get())
    await until(lambda: server.open == 1)
    client.engine.drop_idle()

    assert (await call).status == 200
    await until(lambda: server.open == 0)


async def test_a_connection_on_which_a_request_was_refused_early_is_not_used_again() -> None:
    async with Refusing() as server:
        client = Client(server.address)
        for _ in range(2):
            response = await client.engine.send(
                UpstreamRequest("POST", f"http://{server.address}/x", {}, b"x" * 20_000_000)
            )
            assert response.status == 413
        await client.engine.aclose()

        assert server.made == 2


class Refusing(LocalServer):
    """Answers as soon as it has read a head. Attributes: `made` connections."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.Event().wait()


async def test_closing_ends_the_calls_under_way(server: Server, client: Client) -> None:
    server.delay = 30.0
    call = asyncio.create_task(client.get())
    await until(lambda: server.open == 1)
    await client.engine.aclose()

    with pytest.raises(TransportError) as error:
        await call
    assert error.value.failure is Failure.UNREACHABLE


@pytest.mark.parametrize("turns", range(12))
async def test_a_call_that_is_cancelled_in_any_moment_leaves_its_place_to_others(
    server: Server, turns: int
) -> None:
    client = Client(server.address, max_connections=1)
    calls = [asyncio.create_task(client.get()) for _ in range(3)]
    for _ in range(turns):
        await asyncio.sleep(0)
    calls[0].cancel()
    calls[1].cancel()
    async with asyncio.timeout(5):
        assert (await calls[2]).status == 200
        assert (await client.get()).status == 200
    await asyncio.gather(*calls, return_exceptions=True)
    await client.engine.aclose()


async def test_closing_ends_the_calls_that_wait_for_a_connection(server: Server) -> None:
    server.delay = 30.0
    client = Client(server.address, max_connections=1)
    calls = [asyncio.create_task(client.get()) for _ in range(3)]
    await until(lambda: server.open == 1)
    await client.engine.aclose()
    ends = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(end, TransportError) for end in ends)
    assert server.made == 1


async def test_what_has_come_when_a_client_is_closed_is_no_whole_response(server: Server) -> None:
    server.response = b"HTTP/1.0 200 OK\r\n\r\nhalf"
    client = Client(server.address)
    call = asyncio.create_task(client.get())
    await asyncio.sleep(0.1)
    await client.engine.aclose()

    with pytest.raises(TransportError) as error:
        await call
    assert error.value.failure is Failure.UNREACHABLE


async def test_a_server_that_stops_in_the_middle_is_given_up(server: Server) -> None:
    server.response = OK[:-1]
    client = Client(server.address, read_timeout_seconds=0.2)
    with pytest.raises(TransportError) as error:
        await client.get()
    await client.engine.aclose()

    assert error.value.failure is Failure.TIMED_OUT


async def test_a_large_answer_may_take_longer_than_each_wait_for_more_of_it() -> None:
    async with Dripping() as server:
        client = Client(server.address, read_timeout_seconds=0.3)
        response = await client.get()
        await client.engine.aclose()

        assert len(response.body) == 10


class Dripping(LocalServer):
    """Sends its answer over half a second and more."""

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.06)
            writer.write(b"x")
            await writer.drain()
        await reader.read()
