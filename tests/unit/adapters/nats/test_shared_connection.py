"""The connection that stores and the audit streams use, where one of them does."""

from __future__ import annotations

from nats.aio.client import Client

from adapters.nats.connection import NatsConnection
from adapters.nats.moving import SharedConnection
from adapters.nats.settings import NatsSettings
from tests.fakes.clock import FakeClock


def made() -> tuple[SharedConnection, list[NatsConnection]]:
    connections: list[NatsConnection] = []

    def connect() -> NatsConnection:
        connections.append(NatsConnection(NatsSettings(urls=("nats://127.0.0.1:1",)), FakeClock()))
        return connections[-1]

    return SharedConnection(connect), connections


async def test_where_no_part_uses_nats_there_is_no_second_connection() -> None:
    shared, connections = made()

    assert Client in shared
    assert list(shared) == [Client]
    assert shared.get(str) is None
    await shared.open()
    assert shared.is_connected
    await shared.close()
    assert connections == []


def test_all_parts_share_one_and_the_replica_needs_it_from_then_on() -> None:
    shared, connections = made()

    store, trail = shared.get(Client), shared.get(Client)

    assert store is trail is connections[0].client
    assert len(connections) == 1
    assert not shared.is_connected
    assert connections[0].leave is not None
