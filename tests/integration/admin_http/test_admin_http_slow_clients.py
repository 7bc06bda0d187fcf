"""Clients that open, send and read as slowly as they can, and as many as they can."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse

from adapters.admin_http import connection
from adapters.admin_http.address import AdminAddress
from adapters.admin_http.connection import MAX_CONNECTIONS
from adapters.admin_http.server import AdminHttp
from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
_PATIENCE_SECONDS = 5.0


@asynccontextmanager
async def listening(size: int = 3) -> AsyncIterator[AdminAddress]:
    """Answer everything with that many bytes."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x" * size)(scope, receive, send)

    admin = AdminHttp(AdminAddress("127.0.0.1", 0), app, SystemClock())
    try:
        yield await admin.start()
    finally:
        await admin.aclose()


@asynccontextmanager
async def connected(
    address: AdminAddress, count: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    streams = [await asyncio.open_connection(address.host, address.port) for _ in range(count)]
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.close()
        for _, writer in streams:
            with suppress(OSError):
                await writer.wait_closed()


async def status(address: AdminAddress) -> bytes:
    async with connected(address, 1) as [(reader, writer)]:
        writer.write(_HEAD + b"\r\n")
        return (await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)).split(b" ")[1]


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait until the server has ended the connection."""
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), _PATIENCE_SECONDS)


def _highest_descriptor() -> int:
    return max(int(path.name) for path in Path("/proc/self/fd").iterdir())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.2)


@pytest.mark.parametrize("begun", [b"", b"G", _HEAD])
@pytest.mark.usefixtures("impatient")
async def test_a_request_that_is_not_finished_in_time_ends_its_connection(begun: bytes) -> None:
    async with listening() as address, connected(address, 1) as [(reader, writer)]:
        writer.write(begun)
        await ended(reader)


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_nobody_reads_ends_its_connection() -> None:
    async with listening(size=50_000_000) as address:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((address.host, address.port))
            deaf.sendall(_HEAD + b"\r\n")
            await asyncio.sleep(0.5)
            deaf.settimeout(_PATIENCE_SECONDS)
            received = 0
            while piece := await asyncio.to_thread(deaf.recv, 65536):
                received += len(piece)
            assert received < 50_000_000


@pytest.mark.usefixtures("impatient")
async def test_a_further_request_that_is_not_finished_in_time_ends_its_connection() -> None:
    async with listening() as address, connected(address, 1) as [(reader, writer)]:
        writer.write(_HEAD + b"\r\n")
        await reader.readuntil(b"xxx")
        writer.write(_HEAD)
        await ended(reader)


@pytest.mark.usefixtures("impatient")
async def test_a_connection_lives_on_between_requests() -> None:
    async with listening() as address, connected(address, 1) as [(reader, writer)]:
        for _ in range(2):
            writer.write(_HEAD + b"\r\n")
            assert b"200" in await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)
            await asyncio.wait_for(reader.readuntil(b"xxx"), _PATIENCE_SECONDS)
            await asyncio.sleep(0.3)


async def test_requests_sent_one_behind_the_other_are_all_answered() -> None:
    async with listening() as address, connected(address, 1) as [(reader, writer)]:
        writer.write((_HEAD + b"\r\n") * 3)
        for _ in range(3):
            await asyncio.wait_for(reader.readuntil(b"xxx"), _PATIENCE_SECONDS)


async def test_however_many_are_held_open_each_probe_is_answered() -> None:
    async with listening() as address, connected(address, 3 * MAX_CONNECTIONS) as held:
        for _, writer in held:
            writer.write(_HEAD)
        assert [await status(address) for _ in range(10)] == [b"200"] * 10
        for reader, _ in held[:MAX_CONNECTIONS]:
            await ended(reader)


async def test_those_that_ask_nothing_make_room_before_those_that_are_answered() -> None:
    async with listening(size=50_000_000) as address, connected(address, 1) as [(reader, writer)]:
        writer.write(_HEAD + b"\r\n")
        await reader.readline()
        async with connected(address, 2 * MAX_CONNECTIONS) as held:
            await ended(held[0][0])
            rest = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE_SECONDS)
            assert b"content-length: 50000000" in rest
            assert len(await asyncio.wait_for(reader.readexactly(50_000_000), 20)) == 50_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
async def test_without_descriptors_it_tries_again_once_a_second_and_heals() -> None:
    reports: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context["message"]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with listening() as address:
        waiting = [socket.socket() for _ in range(20)]
        in_use = _highest_descriptor()
        resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 1, hard))
        try:
            with suppress(OSError):
                while True:
                    waiting.append(socket.socket())
            for connecting in waiting[:20]:
                connecting.connect((address.host, address.port))
            await asyncio.sleep(1.5)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for connecting in waiting:
                connecting.close()
        await asyncio.sleep(1)
        assert await status(address) == b"200"

    assert 1 <= len(reports) <= 4
