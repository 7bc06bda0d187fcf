"""Replicas share the requests, and each is answered once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.nats.bursts import ask, until

if TYPE_CHECKING:
    from tests.integration.nats.conftest import ConnectHost, StartReplica


async def test_two_replicas_share_the_requests_and_each_is_answered_once(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replicas = [await start_replica(nats_url) for _ in range(2)]
    host = await connect_host(nats_url)

    assert await ask(host, 500) == [b"echo %d" % number for number in range(500)]

    shares = [replica.handler.arrived.qsize() for replica in replicas]
    assert sum(shares) == 500
    assert min(shares) > 0


async def test_a_burst_is_answered_to_the_last_request(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    await start_replica(nats_url)
    host = await connect_host(nats_url)

    assert await ask(host, 5000) == [b"echo %d" % number for number in range(5000)]


async def test_a_burst_beyond_the_bound_is_refused_at_once_and_not_lost(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replica = await start_replica(nats_url, max_in_flight=10)
    host = await connect_host(nats_url)
    requests = [asyncio.create_task(host.request("slow", b"x", None, 20)) for _ in range(1000)]

    await until(lambda: sum(request.done() for request in requests) >= 991)
    assert replica.transport.in_flight == 9

    replica.handler.gate.set()
    bodies = [(await request).body for request in requests]
    assert bodies.count(b"echo x") == 9
    assert bodies.count(b"refused as overloaded") == 991


async def test_a_burst_beyond_the_bound_is_answered_if_none_of_it_has_to_wait(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    await start_replica(nats_url, max_in_flight=10)
    host = await connect_host(nats_url)

    assert await ask(host, 1000) == [b"echo %d" % number for number in range(1000)]


async def test_a_replica_that_stops_during_a_burst_loses_no_request(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    stopping, staying = [await start_replica(nats_url) for _ in range(2)]
    host = await connect_host(nats_url)
    burst = asyncio.create_task(ask(host, 3000))
    await stopping.handler.arrived.get()

    await stopping.transport.stop(10)

    assert await burst == [b"echo %d" % number for number in range(3000)]
    assert staying.handler.arrived.qsize() > 0
    assert stopping.transport.in_flight == 0


async def test_stopping_at_once_still_refuses_every_request_taken(
    start_replica: StartReplica, connect_host: ConnectHost, nats_url: str
) -> None:
    replica = await start_replica(nats_url)
    host = await connect_host(nats_url)
    requests = [asyncio.create_task(host.request("slow", b"x", None, 20)) for _ in range(100)]
    for _ in requests:
        await replica.handler.arrived.get()

    await replica.transport.stop(0)

    assert {(await request).body for request in requests} == {b"refused as stopping"}
