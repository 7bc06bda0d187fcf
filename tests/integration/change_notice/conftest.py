"""Replicas with caches on a real nats-server, and an operator who listens."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
import pytest_asyncio
from starlette.responses import PlainTextResponse

from adapters.admin_http.app import StoreRoutes
from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.change_notice.notices import ChangeNotices
from adapters.crypto.control_messages import ControlCodec
from adapters.infisical.settings import WEBHOOK_PATH
from adapters.infisical.webhook import InfisicalWebhook
from adapters.infisical.webhook_signature import WebhookVerifier
from adapters.nats.connection import NatsConnection
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import ControlSubjects
from adapters.system.clock import SystemClock
from adapters.system.request_ids import CountingRequestIds
from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER
from tests.fakes.secret_store import FakeSecretStore
from tests.unit.adapters.infisical.infisical_webhooks import SECRET_KEY, body, header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.msg import Msg

    from adapters.nats.client import ResilientClient
    from domain.model.secret import Secret

CLOCK = SystemClock()


def place(path: str, environment: str = "prod") -> SecretLocation:
    return SecretLocation(path, (("environment", environment), ("project_id", "p-1")))


@dataclass
class Replica:
    """One service: its store, its cache, and what it knows of the rest of the world."""

    name: str
    client: ResilientClient
    store: FakeSecretStore
    cache: CachedSecretStore
    notices: ChangeNotices
    app: StoreRoutes

    async def fetch(self, path: str, environment: str = "prod") -> Secret:
        deadline = CLOCK.monotonic() + 8
        return await self.cache.fetch(SecretQuery(place(path, environment), None, CALLER, deadline))

    async def kept(self) -> int:
        return self.cache.statistics().entries

    async def webhook(self, **project: Any) -> httpx.Response:
        at = int(CLOCK.now() * 1000)
        raw = body(at=at, **project)
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.post(
                WEBHOOK_PATH, content=raw, headers={"x-infisical-signature": header(raw, at)}
            )


class StartReplica(Protocol):
    """Starts a replica, stopped after the test."""

    async def __call__(self, name: str, url: str) -> Replica: ...


@dataclass
class Operator:
    """Hears the events."""

    client: ResilientClient
    events: list[dict[str, Any]] = field(default_factory=list)

    async def hear(self, message: Msg) -> None:
        self.events.append(json.loads(message.data))

    async def heard(self, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(10):
            while len(self.events) < count:  # noqa: ASYNC110  a list has no event
                await asyncio.sleep(0.01)
        return self.events


async def connected(stack: AsyncExitStack, url: str) -> ResilientClient:
    config = NatsSettings(urls=(url,))
    connection = await stack.enter_async_context(NatsConnection(config, CLOCK, reconnect_wait=0.05))
    return connection.client


@pytest.fixture
def control(subject_prefix: str) -> ControlSubjects:
    """Subjects of the test's own."""
    return ControlSubjects(prefix=subject_prefix)


@pytest_asyncio.fixture
async def start_replica(control: ControlSubjects) -> AsyncIterator[StartReplica]:
    async with AsyncExitStack() as stack:

        async def start(name: str, url: str) -> Replica:
            client = await connected(stack, url)
            store = FakeSecretStore(("prod", "dev"))
            cache = CachedSecretStore(store, CacheConfig(ttl_seconds=600), CLOCK, lambda: 0.0)
            stack.push_async_callback(cache.aclose)
            codec = ControlCodec([b"k" * 32], CLOCK)
            bus = NatsPeerBus(client, control, CLOCK, codec)
            ids = CountingRequestIds()
            notices = ChangeNotices(bus, ids, CLOCK, backend=control.backend, replica=name)
            stack.push_async_callback(notices.aclose)
            await notices.start(cache.invalidate)
            webhook = InfisicalWebhook(WebhookVerifier(SECRET_KEY, CLOCK), notices.announce)
            pages = PlainTextResponse("pages", status_code=404)
            app = StoreRoutes([webhook.route()], pages, CLOCK)
            return Replica(name, client, store, cache, notices, app)

        yield start


@pytest_asyncio.fixture
async def replicas(start_replica: StartReplica, nats_url: str) -> list[Replica]:
    """Two of them on the session's server."""
    return [await start_replica(name, nats_url) for name in ("replica-1", "replica-2")]


@pytest_asyncio.fixture
async def operator(nats_url: str, control: ControlSubjects) -> AsyncIterator[Operator]:
    async with AsyncExitStack() as stack:
        operator = Operator(await connected(stack, nats_url))
        await operator.client.subscribe(control.event("changed"), cb=operator.hear)
        await operator.client.flush()
        yield operator
