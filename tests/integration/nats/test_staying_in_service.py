"""Replicas, restarts, bursts and shutdown: every request is answered, exactly once."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.nats.channel import NatsChannel
from adapters.nats.client import ResilientClient
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from domain.model.transport import Reply, Request
from ports.transport import ChannelError
from tests.fakes.transport import FakeHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost, StartReplica

ROOT = Path(__file__).parents[3]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event announces."""
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def wait_until_connected(client: ResilientClient) -> None:
    await until(lambda: client.is_connected)
    await client.flush()


def _client_of(host: NatsChannel) -> ResilientClient:
    client = host._client
    assert isinstance(client, ResilientClient)
    return client


async def ask(host: NatsChannel, count: int) -> list[bytes]:
    replies = await asyncio.gather(
        *(host.request("get", b"%d" % number, None, 20) for number in range(count))
    )
    return [reply.body for reply in replies]


async def test_two_replicas_share_the_requests_and_each_is_answered_once(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replicas = [await start_replica(nats_url) for _ in range(2)]
    host = await connect_host(nats_url)

    assert await ask(host, 500) == [b"echo %d" % number for number in range(500)]

    shares = [replica.handler.arrived.qsize() for replica in replicas]
    assert sum(shares) == 500
    assert min(shares) > 0


async def test_a_burst_is_answered_to_the_last_request(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    await start_replica(nats_url)
    host = await connect_host(nats_url)

    assert await ask(host, 5000) == [b"echo %d" % number for number in range(5000)]


async def test_a_burst_beyond_the_bound_is_refused_at_once_and_not_lost(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replica = await start_replica(nats_url, max_in_flight=10)
    host = await connect_host(nats_url)
    requests = [asyncio.create_task(host.request("slow", b"x", None, 20)) for _ in range(1000)]

    await until(lambda: sum(request.done() for request in requests) >= 991)
    assert replica.transport.in_flight == 9

    replica.handler.gate.set()
    bodies = [(await request).body for request in requests]
    assert bodies.count(b"echo x") == 9
    assert bodies.count(b"refused as overloaded") == 991


async def test_a_burst_beyond_the_bound_is_answered_if_none_of_it_has_to_wait(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    await start_replica(nats_url, max_in_flight=10)
    host = await connect_host(nats_url)

    assert await ask(host, 1000) == [b"echo %d" % number for number in range(1000)]


async def test_a_replica_that_stops_during_a_burst_loses_no_request(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    stopping, staying = [await start_replica(nats_url) for _ in range(2)]
    host = await connect_host(nats_url)
    burst = asyncio.create_task(ask(host, 3000))
    await stopping.handler.arrived.get()

    await stopping.transport.stop(10)

    assert await burst == [b"echo %d" % number for number in range(3000)]
    assert staying.handler.arrived.qsize() > 0
    assert stopping.transport.in_flight == 0


async def test_stopping_at_once_still_refuses_every_request_taken(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replica = await start_replica(nats_url)
    host = await connect_host(nats_url)
    requests = [asyncio.create_task(host.request("slow", b"x", None, 20)) for _ in range(100)]
    for _ in requests:
        await replica.handler.arrived.get()

    await replica.transport.stop(0)

    assert {(await request).body for request in requests} == {b"refused as stopping"}


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

    server._config = "authorization { user: me, password: new }"
    await server.restart()
    await asyncio.sleep(0.3)
    assert not replica.connection.is_connected

    server._config = "authorization { user: me, password: old }"
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
        server._config = config
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


class Verbose(FakeHandler):
    """Answers one byte more than fits."""

    @override
    async def begin(self, request: Request) -> Reply:
        return Reply(b"x" * ((request.max_reply_bytes or 0) + 1), "X" * 56)


async def test_a_reply_that_does_not_fit_is_refused_and_the_connection_kept(
    nats_url: str, subjects: SecretsSubjects, connect_host: ConnectHost
) -> None:
    host = await connect_host(nats_url)
    clock = SystemClock()
    async with NatsConnection(NatsSettings(urls=(nats_url,)), clock) as connection:
        transport = NatsTransport(connection.client, subjects, clock)
        await transport.start(Verbose())

        reply = await host.request("get", b"x", None, 5)

        assert reply.body == b"refused as overloaded"
        await transport.stop(1)
        assert connection.client.stats["reconnects"] == 0


class Speechless(FakeHandler):
    """Fails even to refuse."""

    @override
    def refuse(self, request: Request, reason: str) -> Reply:
        raise ValueError("a bug")


async def test_a_handler_that_can_not_even_refuse_ends_no_other_request(
    nats_url: str, subjects: SecretsSubjects, connect_host: ConnectHost
) -> None:
    host = await connect_host(nats_url)
    clock = SystemClock()
    async with NatsConnection(NatsSettings(urls=(nats_url,)), clock) as connection:
        transport = NatsTransport(connection.client, subjects, clock)
        await transport.start(Speechless())

        with pytest.raises(ChannelError) as failure:
            await host.request("bug", b"x", None, 0.1)
        assert failure.value.reason == "timeout"

        assert await ask(host, 1) == [b"echo 0"]
        await transport.stop(1)


async def test_without_a_connection_nothing_hangs_or_raises_but_the_start(
    nats_url: str, subjects: SecretsSubjects
) -> None:
    clock, handler = SystemClock(), FakeHandler()
    connection = NatsConnection(NatsSettings(urls=(nats_url,)), clock)
    await connection.open()
    transport = NatsTransport(connection.client, subjects, clock)
    channel = NatsChannel(connection.client, subjects)
    await transport.start(handler)
    request = asyncio.create_task(channel.request("slow", b"x", None, 0.1))
    await handler.arrived.get()

    await connection.close()

    handler.gate.set()
    with capture_logs() as logs:
        await transport.stop(1)
    assert transport.in_flight == 0
    assert {"nats.reply_failed", "nats.flush_failed"} <= {entry["event"] for entry in logs}
    with pytest.raises(ChannelError):
        await request
    with pytest.raises(ChannelError) as failure:
        await channel.request("get", b"x", None, 0.1)
    assert failure.value.reason == "disconnected"
    with pytest.raises(NatsConnectError, match="the connection was lost"):
        await NatsTransport(connection.client, subjects, clock).start(handler)


async def test_a_server_about_to_leave_is_logged(
    fresh_nats_server: LocalNatsServer, start_replica: StartReplica
) -> None:
    await start_replica(fresh_nats_server.url)
    process = fresh_nats_server._process
    assert process is not None

    with capture_logs() as logs:
        process.send_signal(signal.SIGUSR2)
        await until(lambda: any(entry["event"] == "nats.server_lame_duck" for entry in logs))
    await fresh_nats_server.kill()  # it would take its time


async def test_a_reply_the_server_lets_nobody_have_is_logged_and_harms_nothing(
    start_nats_server: StartNatsServer, start_replica: StartReplica, subjects: SecretsSubjects
) -> None:
    server = await start_nats_server(
        "authorization { users: [{ user: me, password: pass, "
        'permissions: { publish: { deny: ["forbidden"] } } }] }'
    )
    replica = await start_replica(f"nats://me:pass@127.0.0.1:{server.port}")
    client = replica.connection.client

    with capture_logs() as logs:
        await client.publish("forbidden")
        await client.flush()

    assert [entry["event"] for entry in logs] == ["nats.permission_denied"]
    assert (await NatsChannel(client, subjects).request("get", b"x", None, 5)).body == b"echo x"
    assert client.stats["reconnects"] == 0


async def test_the_pong_of_a_flush_that_gave_up_harms_nothing(nats_url: str) -> None:
    async with NatsConnection(NatsSettings(urls=(nats_url,)), SystemClock()) as connection:
        for _ in range(3):
            given_up = asyncio.create_task(connection.client.flush())
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.wait([given_up])

        await connection.client.flush(timeout=5)

        assert connection.client.stats["reconnects"] == 0


SERVICE = """
import asyncio, sys
from adapters.nats.settings import NatsSettings
from adapters.nats.connection import NatsConnection
from adapters.nats.subjects import SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from tests.fakes.transport import FakeHandler

async def main(url):
    clock = SystemClock()
    connection = NatsConnection(NatsSettings(urls=(url,)), clock, reconnect_wait=0.01)
    await connection.open()
    transport = NatsTransport(connection.client, SecretsSubjects(prefix="shutdown"), clock)
    await transport.start(FakeHandler())
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await transport.stop(1)
    await connection.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("server", ["there", "gone"])
async def test_the_process_ends_without_a_warning(
    server: str, fresh_nats_server: LocalNatsServer
) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-W", "error", "-c", SERVICE),
        fresh_nats_server.url,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    while b"ready" not in (line := await process.stdout.readline()):
        assert line
    if server == "gone":
        await fresh_nats_server.kill()
        while b"nats.disconnected" not in (line := await process.stdout.readline()):
            assert line

    _, errors = await process.communicate(b"\n")

    assert (process.returncode, errors.decode()) == (0, "")
