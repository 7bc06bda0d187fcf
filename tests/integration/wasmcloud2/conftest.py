"""A nats-server, its operator's client and the components for real wasmCloud 2 hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats
import pytest
import pytest_asyncio

from tests.support.wasmcloud2.components import build_component
from tests.support.wasmcloud2.registry import WasmRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer


@pytest.fixture(scope="session")
def wasm_registry() -> Iterator[WasmRegistry]:
    """Serves `reader` and `labelled` of tests/support/wasmcloud2/component."""
    names = ("reader", "labelled")
    with WasmRegistry({name: build_component(name) for name in names}) as registry:
        yield registry


@pytest_asyncio.fixture
async def operator(fresh_nats_server: LocalNatsServer) -> AsyncIterator[Client]:
    """A client of the server that belongs to this test: the host's operator, and who asks."""
    client = await nats.connect(fresh_nats_server.url)
    yield client
    await client.close()
