"""Services and hosts on a real nats-server, and a peer that speaks raw bytes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import pytest_asyncio

from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from tests.fakes.transport import FakeHandler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.transport import RequestHandler


@dataclass(frozen=True, slots=True)
class Replica:
    """One running service: its connection, its transport and the core that answers."""

    connection: NatsConnection
    transport: NatsTransport
    handler: FakeHandler


class StartReplica(Protocol):
    """Starts a service, stopped and closed after the test."""

    async def __call__(self, url: str, **settings: Any) -> Replica:
        """Start one on the test's subjects; settings are `NatsTransport`'s or `NatsSettings`'s."""
        ...


class ConnectHost(Protocol):
    """Connects a host's channel, closed after the test."""

    async def __call__(self, url: str) -> NatsChannel:
        """Connect one to the test's subjects."""
        ...


@pytest.fixture
def subjects(subject_prefix: str) -> SecretsSubjects:
    """Subjects of the test's own."""
    return SecretsSubjects(prefix=subject_prefix)


@asynccontextmanager
async def serving(
    connection: NatsConnection, transport: NatsTransport, handler: RequestHandler
) -> AsyncIterator[None]:
    """Run a service for a block's time."""
    async with connection:
        await transport.start(handler)
        try:
            yield
        finally:
            await transport.stop(0)


@pytest_asyncio.fixture
async def start_replica(subjects: SecretsSubjects) -> AsyncIterator[StartReplica]:
    """Services on one set of subjects."""
    async with AsyncExitStack() as replicas:

        async def start(url: str, **settings: Any) -> Replica:
            config = {
                name: settings.pop(name)
                for name in list(settings)
                if name not in {"max_in_flight", "vouches_for_requesters"}
            }
            clock = SystemClock()
            connection = NatsConnection(
                NatsSettings(urls=(url,), **config), clock, reconnect_wait=0.05
            )
            transport = NatsTransport(connection.client, subjects, clock, **settings)
            handler = FakeHandler()
            await replicas.enter_async_context(serving(connection, transport, handler))
            return Replica(connection, transport, handler)

        yield start


@pytest_asyncio.fixture
async def connect_host(subjects: SecretsSubjects) -> AsyncIterator[ConnectHost]:
    """Hosts on the same subjects."""
    async with AsyncExitStack() as hosts:

        async def connect(url: str) -> NatsChannel:
            connection = NatsConnection(
                NatsSettings(urls=(url,)), SystemClock(), reconnect_wait=0.05
            )
            await hosts.enter_async_context(connection)
            return NatsChannel(connection.client, subjects)

        yield connect


class RawPeer:
    """A NATS client that sends whatever bytes a test gives it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, wire: bytes) -> None:
        """Send; what the server makes of it arrives in that order."""
        self._writer.write(wire)
        await self._writer.drain()

    async def until(self, end: bytes) -> bytes:
        """Return what the server sends, up to `end`."""
        async with asyncio.timeout(10):
            return await self._reader.readuntil(end)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest_asyncio.fixture
async def raw_peer(nats_url: str) -> AsyncIterator[RawPeer]:
    """A peer of the session's server, subscribed to `raw.inbox`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(nats_url.rsplit(":", 1)[1]))
    peer = RawPeer(reader, writer)
    await peer.until(b"\r\n")
    await peer.send(b'CONNECT {"verbose":false,"headers":true}\r\nSUB raw.inbox 1\r\n')
    yield peer
    await peer.close()
