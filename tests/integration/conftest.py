"""Real nats-servers: one for the whole session, and fresh ones to break and to shape."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
import pytest_asyncio

from bootstrap.local.nats_server import LocalNatsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_prefixes = (f"test-{number}" for number in itertools.count())


class StartNatsServer(Protocol):
    """Starts a nats-server of the test's own, ended after the test."""

    async def __call__(self, config: str = "", *, jetstream: bool = False) -> LocalNatsServer:
        """Start one with further configuration text."""
        ...


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_server() -> AsyncIterator[LocalNatsServer]:
    """The session's server, JetStream on, no authorization. Shared: never kill or restart it."""
    async with LocalNatsServer(jetstream=True) as server:
        yield server


@pytest.fixture
def nats_url(nats_server: LocalNatsServer) -> str:
    """Where the session's server listens."""
    return nats_server.url


@pytest.fixture
def subject_prefix() -> str:
    """A subject prefix, or a bucket's name, that no other test of the session uses."""
    return next(_prefixes)


@pytest_asyncio.fixture
async def start_nats_server() -> AsyncIterator[StartNatsServer]:
    """Servers that a test may kill, restart and configure."""
    async with AsyncExitStack() as servers:

        async def start(config: str = "", *, jetstream: bool = False) -> LocalNatsServer:
            return await servers.enter_async_context(
                LocalNatsServer(config=config, jetstream=jetstream)
            )

        yield start


@pytest_asyncio.fixture
async def fresh_nats_server(start_nats_server: StartNatsServer) -> LocalNatsServer:
    """A server of the test's own, JetStream on, to kill and restart."""
    return await start_nats_server(jetstream=True)
