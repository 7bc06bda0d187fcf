"""The shipped logins: the service behind one, and clients and hosts under others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.operating import NatsKvCatalog, NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from bootstrap.cli.kv_session import NatsKvByHand
from bootstrap.settings.variables import Variables
from domain.use_cases.ask_for_secret import HostClient
from tests.support.environments import nats_kv_environment
from tests.support.host import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer


if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bootstrap.local.nats_server import LocalNatsServer


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer


DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "nats"
SUBJECTS = SecretsSubjects()
USERS = (
    "host",
    "host-a",
    "host-b",
    "lattice-a",
    "lattice-b",
    "backend",
    "operator",
    "auditor",
)


def password(user: str) -> str:
    return f"password-of-{user}"


class PlainClient:
    """A client that keeps the server's complaints."""

    def __init__(self, client: Client, complaints: list[str]) -> None:
        self.client = client
        self.complaints = complaints

    async def denied(self) -> list[str]:
        """Return what the server has refused by now."""
        await self.client.flush()
        await asyncio.sleep(0.05)
        return [text for text in self.complaints if "permissions violation" in text.lower()]

    async def may_publish(self, subject: str, body: bytes = b"") -> bool:
        """Whether the server takes a message on the subject."""
        self.complaints.clear()
        await self.client.publish(subject, body)
        return not await self.denied()

    async def may_subscribe(self, subject: str, queue: str = "") -> bool:
        """Whether the server takes a subscription."""
        self.complaints.clear()
        await self.client.subscribe(subject, queue)
        return not await self.denied()


class LogIn(Protocol):
    """Connects a client, closed after the test."""

    async def __call__(self, server: LocalNatsServer, user: str) -> PlainClient: ...


def url_of(server: LocalNatsServer, user: str) -> str:
    """Return the address with the user's login in it."""
    return f"nats://{user}:{password(user)}@127.0.0.1:{server.port}"


def jetstream_prefix(server: LocalNatsServer, user: str) -> str:
    """Return where the user finds JetStream: in accounts.conf people have their own account."""
    imported = user in {"operator", "auditor"} and "OPERATORS" in server.config
    return "JS.SECRETS.API" if imported else "$JS.API"


def config_of(server: LocalNatsServer, user: str) -> NatsSettings:
    """Return how that user connects."""
    return NatsSettings(
        urls=(url_of(server, user),), jetstream_prefix=jetstream_prefix(server, user)
    )


def service_settings(server: LocalNatsServer, folder: Path) -> dict[str, str]:
    """Return the environment of a service that logs in as the backend, on a bucket."""
    return nats_kv_environment(folder) | {"NATS_URL": url_of(server, "backend")}


async def store_secret(server: LocalNatsServer, folder: Path, key: str, value: str) -> None:
    """Write a secret as the operator does, into the bucket that the backend makes."""
    kv = Variables(nats_kv_environment(folder)).load(NatsKvSettings)
    by_hand = Variables(nats_kv_environment(folder)).load(NatsKvByHand)
    clock = SystemClock()
    xkey = kv.encryption_xkey()
    async with NatsConnection(config_of(server, "backend"), clock) as connection:
        await NatsKvCheck(
            client=connection.client, config=kv, encryption_xkey=xkey, clock=clock
        ).check()
    async with NatsConnection(config_of(server, "operator"), clock) as connection:
        writer = NatsKvSecretWriter(
            client=connection.client,
            config=by_hand,
            encryption_xkey=xkey,
            clock=clock,
        )
        await writer.put(key, value)
        catalog = NatsKvCatalog(client=connection.client, config=by_hand, clock=clock)
        assert await catalog.keys() == [key]


@asynccontextmanager
async def asking_host(
    server: LocalNatsServer, user: str, *, channel: type[NatsChannel] = NatsChannel
) -> AsyncIterator[Host]:
    """Log a wasmCloud host in; its channel may be one that cheats."""
    config = NatsSettings(urls=(url_of(server, user),))
    async with NatsConnection(config, SystemClock()) as connection:
        opened = channel(connection.client, SUBJECTS)
        yield Host(HostClient(opened, SodiumKeyExchange()), opened)
