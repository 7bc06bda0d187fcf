"""A flood on a real nats-server: the service reads on, and an honest host loses nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import nats
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.nats import intake
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from tests.fakes.transport import FakeHandler
from tests.integration.nats.conftest import serving
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pytest

    from adapters.nats.subjects import SecretsSubjects
    from domain.model.transport import Reply, Request
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost

BODY = b"x" * 8000
FLOOD, SMALL_FLOOD = 2000, 250
BACKLOG_BYTES = 4 * 1024 * 1024
"""Far less than the flood has."""


class Busy(FakeHandler):
    """Takes a millisecond of the processor for each request, as opening and parsing may."""

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            pass
        return super().begin(request)


def flood(port: int, subject: str, count: int) -> None:
    """Send so many requests, from a thread of its own."""
    frames = [
        b"PUB %b _INBOX.flood.%d %d\r\n%b\r\n" % (subject.encode(), number, len(BODY), BODY)
        for number in range(count)
    ]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"CONNECT {}\r\n" + b"".join(frames) + b"PING\r\n")
        while b"PONG" not in connection.recv(4096):
            pass


class Stopping(FakeHandler):
    """Holds the event loop up once, until the server has taken the whole flood."""

    def __init__(self) -> None:
        super().__init__()
        self.stops = False
        self.flooded = threading.Event()

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        if self.stops:
            self.stops = False
            self.flooded.wait(60)
        return super().begin(request)


async def test_an_honest_host_beside_a_flood_loses_no_read(
    subjects: SecretsSubjects, connect_host: ConnectHost, nats_url: str
) -> None:
    clock, handler = SystemClock(), Busy()
    connection = NatsConnection(NatsSettings(urls=(nats_url,)), clock)
    transport = NatsTransport(connection.client, subjects, clock, max_backlog_bytes=BACKLOG_BYTES)
    honest = await connect_host(nats_url)
    flooding = await nats.connect(nats_url)
    replies: list[bytes] = []

    async def note(message: Any) -> None:
        replies.append(message.data)

    async with serving(connection, transport, handler):
        await flooding.subscribe("_INBOX.flood.>", cb=note)
        for number in range(FLOOD):
            await flooding.publish(subjects.of("get"), BODY, reply=f"_INBOX.flood.{number}")
        await flooding.flush()
        answers = [
            (await honest.request("get", b"%d" % number, None, 10)).body for number in range(20)
        ]
        await flooding.flush()
        assert connection.client.stats["reconnects"] == 0
        assert transport.dropped + len(handler.refused) > 0

    await flooding.drain()
    assert answers == [b"echo %d" % number for number in range(20)]
    assert all(
        reply in {b"echo " + BODY, b"refused as overloaded", b"refused as stopping"}
        for reply in replies
    )


async def test_a_server_that_hangs_up_over_a_flood_is_told_of_and_left_for_a_new_connection(
    subjects: SecretsSubjects,
    connect_host: ConnectHost,
    start_nats_server: StartNatsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Small enough that a busy machine moves it while a flood still counts as just before.
    monkeypatch.setattr(intake, "FLOOD_BYTES", SMALL_FLOOD * len(BODY) // 2)
    server = await start_nats_server(f"max_pending: {len(BODY) * 2 * SMALL_FLOOD}")
    clock, handler = SystemClock(), Stopping()
    connection = NatsConnection(NatsSettings(urls=(server.url,)), clock, reconnect_wait=0.05)
    transport = NatsTransport(connection.client, subjects, clock)
    connection.why_hung_up_on = transport.why_hung_up_on
    honest = await connect_host(server.url)

    def flood_while_it_stops() -> None:
        try:
            # Both ends of the connection buffer some megabytes beside what the server may hold.
            flood(server.port, subjects.of("get"), 3 * FLOOD)
        finally:
            handler.flooded.set()

    with capture_logs() as records:
        async with serving(connection, transport, handler):
            await asyncio.to_thread(flood, server.port, subjects.of("get"), SMALL_FLOOD)
            await until(lambda: transport._intake.is_flooded)
            handler.stops = True
            await asyncio.to_thread(flood_while_it_stops)
            await until(lambda: connection.client.stats["reconnects"] == 1)
            await connection.client.flush()  # the server knows its subscriptions again
            assert (await honest.request("get", b"after", None, 10)).body == b"echo after"

    (lost,) = [record for record in records if record["event"] == "nats.disconnected"]
    assert "MiB of requests were read within a second" in lost["advice"]


async def test_requests_still_queued_at_a_stop_are_each_answered(
    subjects: SecretsSubjects, nats_url: str
) -> None:
    clock, handler = SystemClock(), Busy()
    connection = NatsConnection(NatsSettings(urls=(nats_url,)), clock)
    transport = NatsTransport(connection.client, subjects, clock)
    asking = await nats.connect(nats_url)
    replies: list[bytes] = []

    async def note(message: Any) -> None:
        replies.append(message.data)

    async with serving(connection, transport, handler):
        await asking.subscribe("_INBOX.many.>", cb=note)
        for number in range(500):
            await asking.publish(subjects.of("get"), b"x", reply=f"_INBOX.many.{number}")
        await asking.flush()
        await handler.arrived.get()
        await transport.stop(0)
        await until(lambda: len(replies) == 500)

    await asking.drain()
    assert set(replies) <= {b"echo x", b"refused as stopping"}
