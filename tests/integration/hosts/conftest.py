"""Hosts in a lattice on a nats-server of their own, beside the service on a bucket."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import nats
import pytest
import pytest_asyncio

from tests.integration.service.conftest import open_writer
from tests.support.environments import nats_kv_environment
from tests.support.lattice_host import LatticeHost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from bootstrap.local.nats_server import LocalNatsServer


class JoinLattice(Protocol):
    """Connects a host twice, as hosts do, and has it join a lattice."""

    async def __call__(self, url: str, *, lattice: str = "default") -> LatticeHost: ...


@pytest_asyncio.fixture
async def join_lattice() -> AsyncIterator[JoinLattice]:
    async with AsyncExitStack() as clients:

        async def join(url: str, *, lattice: str = "default") -> LatticeHost:
            pair = []
            for _ in ("control", "rpc"):
                client = await nats.connect(url)
                clients.push_async_callback(client.close)
                pair.append(client)
            return await LatticeHost(*pair, lattice=lattice).join()

        yield join


@pytest.fixture
def settings(fresh_nats_server: LocalNatsServer, tmp_path: Path) -> dict[str, str]:
    """A service on a bucket of the test's own server."""
    return nats_kv_environment(tmp_path) | {
        "NATS_URL": fresh_nats_server.url,
        "NATS_KV_BUCKET": "WASMCLOUD_SECRETS",
    }


@pytest_asyncio.fixture
async def writer(settings: dict[str, str]) -> AsyncIterator[NatsKvSecretWriter]:
    async with open_writer(settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def host(fresh_nats_server: LocalNatsServer, join_lattice: JoinLattice) -> LatticeHost:
    return await join_lattice(fresh_nats_server.url)
