"""Answers while requests wait, the connection is lost, or the server takes less or nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.workers.test_stopping_while_nats_hangs import standing_still
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost, StartReplica


async def test_the_server_xkey_is_given_while_every_place_is_taken(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replica = await start_replica(nats_url, max_in_flight=10)
    host = await connect_host(nats_url)
    waiting = [asyncio.create_task(host.request("slow", b"x", None, 20)) for _ in range(20)]
    await until(lambda: sum(request.done() for request in waiting) == 11)

    replies = await asyncio.gather(
        *(host.request("server_xkey", b"%d" % number, None, 5) for number in range(200))
    )

    assert [reply.body for reply in replies] == [b"echo %d" % number for number in range(200)]
    assert replica.transport.in_flight == 9
    replica.handler.gate.set()
    await asyncio.gather(*waiting)


async def test_answers_are_kept_while_the_service_is_cut_off(
    start_replica: StartReplica, connect_host: ConnectHost, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server()
    size, count = 3000, 4000
    async with TcpProxy(server.port) as proxy:
        replica = await start_replica(f"nats://127.0.0.1:{proxy.port}")
        host = await connect_host(server.url)
        asked = [
            asyncio.create_task(host.request("slow", bytes(size), None, 20)) for _ in range(count)
        ]
        await until(lambda: replica.transport.in_flight == count)
        proxy.refuses = True
        proxy.cut()
        await until(lambda: not replica.connection.is_connected)
        replica.handler.gate.set()
        await until(lambda: replica.transport.in_flight == 0)
        proxy.refuses = False

        bodies = [(await request).body for request in asked]

    assert bodies == [b"echo " + bytes(size)] * count


async def test_an_answer_beyond_what_the_server_takes_by_now_is_a_refusal(
    start_replica: StartReplica, connect_host: ConnectHost, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server()
    replica = await start_replica(server.url)
    host = await connect_host(server.url)
    asked = [
        asyncio.create_task(host.request("slow", bytes(size), None, 20)) for size in (100_000, 100)
    ]
    await until(lambda: replica.transport.in_flight == 2)

    server.config = "max_payload: 65536"
    await server.restart()
    await until(lambda: replica.connection.client.max_payload == 65536)
    await until(lambda: replica.connection.is_connected)
    await (await connect_host(server.url)).request("echo", b"", None, 5)
    replica.handler.gate.set()

    assert [(await request).body for request in asked] == [
        b"refused as reply_not_carried",
        b"echo " + bytes(100),
    ]


LIMIT_SECONDS = 0.5
_clock = SystemClock()


async def publish_within(connection: NatsConnection, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while True:
            await connection.client.publish("subject", bytes(500_000))


async def test_a_full_buffer_keeps_nobody_beyond_a_limit(
    fresh_nats_server: LocalNatsServer,
) -> None:
    config = NatsSettings(urls=(fresh_nats_server.url,))

    async with NatsConnection(config, _clock) as connection:
        with standing_still(fresh_nats_server):
            began = _clock.monotonic()
            with pytest.raises(TimeoutError):
                await publish_within(connection, LIMIT_SECONDS)
            took = _clock.monotonic() - began

    assert LIMIT_SECONDS <= took < LIMIT_SECONDS + 1.0
