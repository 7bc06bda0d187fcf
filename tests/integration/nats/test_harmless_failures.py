"""Failures of one reply, one start or one server that harm no other request."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.nats.channel import NatsChannel
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from domain.model.transport import Reply, Request
from ports.transport import ChannelError
from tests.fakes.transport import FakeHandler
from tests.integration.nats.bursts import ROOT, ask, until

if TYPE_CHECKING:
    from adapters.nats.subjects import SecretsSubjects
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost, StartReplica


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

        assert reply.body == b"refused as reply_not_carried"
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
    # A busy machine is no fault: development mode would warn of each step that takes 0.1 s.
    asyncio.get_running_loop().slow_callback_duration = 3600
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
