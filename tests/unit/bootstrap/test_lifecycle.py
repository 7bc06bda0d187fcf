"""From start to stop on fakes: the order of things."""

from __future__ import annotations

import asyncio

import pytest

from adapters.admin_http.readiness import Finding, Readiness, ReadinessCheck
from domain.model.errors import UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.unit.bootstrap.lifecycle_world import World


async def test_it_opens_in_order_and_closes_in_reverse() -> None:
    world = World()

    async with world.running() as task:
        await world.until(lambda: bool(world.logged("service.ready")))
    task.result()

    assert world.events == [
        "admin started",
        "connection opened",
        "audit started",
        "transport started",
        "transport stopped within 10",
        "audit closed",
        "connection closed",
        "store closed",
        "admin closed",
    ]
    assert world.store_ran_after != "admin started"
    assert world.logged("service.stopped")


async def test_calls_that_the_cache_began_end_before_the_store_is_closed() -> None:
    world = World()
    service = world.service()
    store, pipeline = world.store, service.pipeline
    store.gate.clear()
    location = store.locate(SecretReference("KEY"))
    deadline = world.clock.monotonic() + 60
    waiting = asyncio.create_task(
        pipeline.cache.fetch(SecretQuery(location, None, CALLER, deadline))
    )
    await store.asked.wait()

    closing = asyncio.create_task(pipeline.aclose())

    with pytest.raises(UpstreamError) as caught:
        await waiting
    await closing
    assert caught.value.reason == "cache_closed"
    assert world.events == ["store closed"]


async def test_ready_says_the_public_facts() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("service.ready")
    assert (record["transport"], record["subjects"]) == ("nats", "a.subject.>")
    assert record["server_xkey"] == world.keys.current.public
    assert (record["retired_xkeys"], record["rules"], record["issuers"]) == (1, "none", 0)
    assert record["authorization_mode"] == "enforce"
    assert record["store"] == "infisical"


async def test_without_trusted_issuers_a_warning_says_what_that_means() -> None:
    world = World()

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    (record,) = world.logged("access.any_issuer")
    assert record["level"] == "warning"
    assert "TRUSTED_ISSUERS" in record["advice"]


async def test_it_stops_while_it_is_still_starting() -> None:
    world = World()
    world.connection.gate.clear()

    async with world.running() as task:
        await world.until(lambda: "connection opened" in world.events)
    task.result()

    assert world.events == [
        "admin started",
        "connection opened",
        "connection closed",
        "store closed",
        "admin closed",
    ]


async def test_probes_hear_from_the_first_request_to_the_last_that_requests_are_taken() -> None:
    world = World()
    assert not world.service().admin.is_serving

    async with world.running():
        world.connection.gate.clear()
        await world.until(lambda: "connection opened" in world.events)
        assert not world.service().admin.is_serving
        world.connection.gate.set()
        await world.until(lambda: "transport started" in world.events)
        await world.until(lambda: world.service().admin.is_serving)
        world.stop.set()
        await world.until(lambda: "transport stopped within 10" in world.events)
        assert not world.service().admin.is_serving


async def test_a_check_under_way_ends_before_what_it_asks_is_closed() -> None:
    world = World()
    ended: list[str] = []

    async def probe() -> Finding:
        try:
            await asyncio.Event().wait()
        finally:
            ended.extend(world.events)
        raise AssertionError

    readiness = Readiness([ReadinessCheck("store", probe)], world.clock)
    world.service().admin.readiness = readiness

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))
        world.clock.advance(1.0)
        readiness.refresh()
        await asyncio.sleep(0)

    assert ended == world.events[: len(ended)]
    assert "transport stopped within 10" not in ended
    assert "transport started" in ended
