"""Servers and addresses that swallow packets cost little of the time there is."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.nats.client import ResilientClient
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.support.free_ports import neighbouring_ports
from tests.support.local_server import LocalServer
from tests.support.swallowing import swallowing

if TYPE_CHECKING:
    from nats.aio.client import Srv

    from bootstrap.local.nats_server import LocalNatsServer

DEAD = 12


def connection_to(*urls: str) -> NatsConnection:
    return NatsConnection(NatsSettings(urls=urls), SystemClock(), reconnect_wait=0.05)


async def until_connected(client: ResilientClient, seconds: float, times: int = 1) -> None:
    """Wait for the first connection after the one that is being lost."""
    async with asyncio.timeout(seconds):
        while client.stats["reconnects"] < times or not client.is_connected:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await client.flush()


async def test_a_name_whose_first_addresses_swallow_packets_is_reached(
    fresh_nats_server: LocalNatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = fresh_nats_server.port
    loop = asyncio.get_running_loop()

    async def resolve(_host: str, _port: int, **_: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (f"127.0.0.{last}", port)) for last in (3, 2, 1)]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    with swallowing("127.0.0.2", port), swallowing("127.0.0.3", port):
        connection = connection_to(f"nats://nats.test:{port}")
        async with connection, asyncio.timeout(2):
            await connection.client.flush()
            await fresh_nats_server.restart()
            await until_connected(connection.client, 2)


class Gossiping(LocalServer):
    """Passes on to a nats-server, with other `connect_urls` in its greeting."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._to = port
        self.urls: list[str] = []
        self.refuses = False
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        info = json.loads((await from_server.readline()).removeprefix(b"INFO "))
        writer.write(b"INFO " + json.dumps(info | {"connect_urls": self.urls}).encode() + b"\r\n")
        self._writers.add(writer)
        try:
            await asyncio.gather(_pass_on(reader, to_server), _pass_on(from_server, writer))
        finally:
            self._writers.discard(writer)
            to_server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def test_dead_servers_told_by_gossip_do_not_delay_a_reconnect(
    fresh_nats_server: LocalNatsServer,
) -> None:
    first = neighbouring_ports(DEAD)
    with ExitStack() as held:
        dead = [
            held.enter_context(swallowing("127.0.0.1", first + number)) for number in range(DEAD)
        ]
        async with Gossiping(fresh_nats_server.port) as gossip:
            gossip.urls = dead
            connection = connection_to(f"nats://{gossip.address}")
            async with connection:
                client = connection.client
                assert len(client.servers) == DEAD + 1
                gossip.refuses = True
                gossip.cut()
                await asyncio.sleep(1)
                gossip.refuses = False
                await until_connected(client, 2)

                gossip.urls = dead[:1]
                gossip.cut()
                await until_connected(client, 2, times=2)
                assert len(client.servers) == 2


def a_client(step_limit: float, *urls: str) -> ResilientClient:
    client = ResilientClient()
    client.options = {"reconnect_time_wait": 0.0, "dont_randomize": True}
    client._setup_server_pool(list(urls))
    client._step_limit = step_limit
    client._current_server = client._server_pool[0]
    return client


async def test_the_name_on_the_certificate_stays_that_of_the_configured_server() -> None:
    client = a_client(5.0, "tls://nats.example.test:4222")
    client._server_info = {"tls_required": True}
    for generation in range(3):
        await client._process_info({"connect_urls": [f"10.0.0.{generation}:4222"]})
        gossiped = next(s for s in client._server_pool if s.discovered)
        assert gossiped.tls_name == "nats.example.test"
        client._current_server = gossiped
        client._server_pool[:] = [s for s in client._server_pool if s is gossiped]


async def test_limits_are_short_at_first_and_grow_while_no_server_is_there() -> None:
    client = a_client(5.0, "nats://a.test:1", "nats://b.test:2")
    tried: list[tuple[str | None, float]] = []
    rounds = 5

    class Enough(BaseException):
        """Ends the endless attempts."""

    async def fail(server: Srv) -> None:
        tried.append((server.uri.hostname, client.options["connect_timeout"]))
        if len(tried) == 2 * rounds:
            raise Enough
        raise OSError

    async def quiet(_: Exception) -> None:
        return None

    client._error_cb = quiet
    client._connect_to_server = fail  # type: ignore[method-assign, assignment]
    with pytest.raises(Enough):
        await client._select_next_server()

    assert [limit for _, limit in tried[::2]] == [0.8, 1.6, 3.2, 5.0, 5.0]
    assert all(
        {a, b} == {"a.test", "b.test"}
        for (a, _), (b, _) in zip(tried[::2], tried[1::2], strict=True)
    )
