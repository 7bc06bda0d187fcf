"""Crashes, logins taken away and TLS: the service reconnects and answers again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.nats.channel import NatsChannel
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from ports.transport import ChannelError
from tests.fakes.transport import FakeHandler
from tests.integration.nats.bursts import _client_of, ask, until, wait_until_connected

if TYPE_CHECKING:
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost, StartReplica


async def test_after_a_server_crash_it_reconnects_and_answers_again(
    start_replica: StartReplica,
    connect_host: ConnectHost,
    fresh_nats_server: LocalNatsServer,
) -> None:
    replica = await start_replica(fresh_nats_server.url)
    host = await connect_host(fresh_nats_server.url)
    assert await ask(host, 1) == [b"echo 0"]

    for _ in range(2):
        await fresh_nats_server.kill()
        with pytest.raises(ChannelError) as failure:
            await host.request("get", b"x", None, 0.2)
        assert failure.value.reason == "disconnected"
        assert not replica.connection.is_connected
        await fresh_nats_server.restart()
        await wait_until_connected(replica.connection.client)
        await wait_until_connected(_client_of(host))
        assert await ask(host, 10) == [b"echo %d" % number for number in range(10)]


async def test_a_request_taken_before_a_crash_is_answered_after_it(
    start_replica: StartReplica,
    connect_host: ConnectHost,
    fresh_nats_server: LocalNatsServer,
) -> None:
    replica = await start_replica(fresh_nats_server.url)
    host = await connect_host(fresh_nats_server.url)
    request = asyncio.create_task(host.request("slow", b"x", None, 20))
    await replica.handler.arrived.get()

    await fresh_nats_server.kill()
    await until(lambda: not replica.connection.is_connected)
    await fresh_nats_server.restart()
    await wait_until_connected(replica.connection.client)
    await wait_until_connected(_client_of(host))  # its inbox must be back, too
    replica.handler.gate.set()

    assert (await request).body == b"echo x"


async def test_stopping_while_the_server_is_gone_ends_soon_and_for_good(
    start_replica: StartReplica, fresh_nats_server: LocalNatsServer, subjects: SecretsSubjects
) -> None:
    replica = await start_replica(fresh_nats_server.url)
    await fresh_nats_server.kill()
    await until(lambda: not replica.connection.is_connected)
    async with asyncio.timeout(2):
        await replica.transport.stop(0.1)

    await fresh_nats_server.restart()
    await wait_until_connected(replica.connection.client)
    channel = NatsChannel(replica.connection.client, subjects)
    with pytest.raises(ChannelError) as failure:
        await channel.request("get", b"x", None, 5)
    assert failure.value.reason == "no_responders"


async def test_a_login_revoked_while_connected_is_tried_again(
    subjects: SecretsSubjects,
) -> None:
    connects = 0
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connects
        connects += 1
        writer.write(b'INFO {"max_payload":1048576,"headers":true}\r\n')
        while line := await reader.readline():
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
            if line.startswith(b"SUB") and connects < 3:
                writer.write(b"-ERR 'User Authentication Revoked'\r\n")
                break
            if line.startswith(b"SUB"):
                gone.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        config = NatsSettings(urls=(f"nats://127.0.0.1:{port}",))
        steady = NatsConnection(config, SystemClock(), reconnect_wait=0.01)
        async with steady as connection, asyncio.timeout(10):
            await connection.client.subscribe_raw(subjects.every_operation, "", _discard)
            await gone.wait()

    assert connects == 3


async def _discard(*_message: object) -> None:
    pass


async def test_a_login_refused_at_a_reconnect_is_tried_until_it_is_granted(
    start_nats_server: StartNatsServer, start_replica: StartReplica, connect_host: ConnectHost
) -> None:
    server = await start_nats_server("authorization { user: me, password: old }")
    replica = await start_replica(f"nats://me:old@127.0.0.1:{server.port}")

    server.config = "authorization { user: me, password: new }"
    await server.restart()
    await asyncio.sleep(0.3)
    assert not replica.connection.is_connected

    server.config = "authorization { user: me, password: old }"
    await server.restart()
    await wait_until_connected(replica.connection.client)
    host = await connect_host(f"nats://me:old@127.0.0.1:{server.port}")
    assert await ask(host, 1) == [b"echo 0"]


async def test_over_tls_it_reconnects_as_well(
    start_nats_server: StartNatsServer, start_replica: StartReplica
) -> None:
    tls = Path(__file__).parent / "tls"
    working = f'tls {{ cert_file: "{tls}/server.pem", key_file: "{tls}/server-key.pem" }}'
    server = await start_nats_server(working)
    replica = await start_replica(server.url, tls_ca_file=tls / "ca.pem")

    for config in (working, "", working):  # without TLS it must not log in, and go on trying
        server.config = config
        await server.restart()
        if config:
            await wait_until_connected(replica.connection.client)
        else:
            await asyncio.sleep(0.2)
            assert not replica.connection.is_connected


async def test_closing_between_two_attempts_leaves_nothing_running(
    fresh_nats_server: LocalNatsServer,
) -> None:
    config = NatsSettings(urls=(fresh_nats_server.url,))
    connections = [NatsConnection(config, SystemClock(), reconnect_wait=0) for _ in range(30)]
    for connection in connections:
        await connection.open()
    await fresh_nats_server.kill()
    await until(lambda: not any(connection.is_connected for connection in connections))

    for connection in connections:
        await connection.close()

    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_without_the_permission_to_listen_the_start_says_so(
    start_nats_server: StartNatsServer, subjects: SecretsSubjects
) -> None:
    server = await start_nats_server(
        "authorization { users: [{ user: me, password: pass, "
        'permissions: { subscribe: ["_INBOX.>"] } }] }'
    )
    config = NatsSettings(urls=(f"nats://me:pass@127.0.0.1:{server.port}",))
    async with NatsConnection(config, SystemClock()) as connection:
        transport = NatsTransport(connection.client, subjects, SystemClock())

        with pytest.raises(NatsConnectError, match="no permission to subscribe") as failure:
            await transport.start(FakeHandler())

    assert failure.value.reason == "denied"
