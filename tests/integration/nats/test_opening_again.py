"""The two connections of a service, opened again since a server took one of them only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.plugin import PLUGIN
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from ports.transport_plugin import TransportRefusedError
from tests.support.waiting import until_awaited
from wasmcloud_secrets.testing.contexts import FakeTransportContext

if TYPE_CHECKING:
    from ports.transport_plugin import TransportParts
    from tests.integration.conftest import StartNatsServer


def built(url: str) -> TransportParts:
    parts = PLUGIN.build(NatsSettings(urls=(url,)), FakeTransportContext())
    assert Client in parts.shared
    assert parts.shared[Client] is not None
    return parts


async def test_a_server_that_takes_one_of_two_connections_is_said_to_be_full(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server("max_connections: 1")
    parts = built(server.url)
    with pytest.raises(TransportRefusedError):
        await parts.open()

    assert "limits" in str(parts.problem())
    await parts.close()


async def test_a_try_that_was_refused_leaves_no_connection_that_goes_on_by_itself(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server("max_connections: 1")
    parts = built(server.url)

    async def has_room() -> bool:
        try:
            async with NatsConnection(NatsSettings(urls=(server.url,)), SystemClock()):
                return True
        except NatsConnectError:
            return False

    with pytest.raises(TransportRefusedError):
        await parts.open()
    await until_awaited(has_room, bool)

    server.config = ""
    await server.restart()
    await parts.open()
    assert parts.problem() is None
    await parts.close()
