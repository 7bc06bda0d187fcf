"""What ends a service before it takes requests, or while it serves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from adapters.admin_http.address import AdminHttpError
from adapters.audit.sink import AuditSinkError
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.closing import ServiceFailedError
from domain.model.transport import Reply
from ports.transport_plugin import TransportFailedError
from tests.fakes.transport import FakeHandler
from tests.unit.bootstrap.lifecycle_world import MISCONFIGURED, UNREACHABLE, World


async def test_an_audit_trail_that_cannot_be_kept_ends_it_before_it_takes_requests() -> None:
    world = World()
    world.audit.failure = AuditSinkError("Make room for the audit trail.")

    with pytest.raises(ServiceFailedError, match="Make room for the audit trail"):
        await world.service().run(world.stop, world.reload)

    assert world.events == [
        "admin started",
        "connection opened",
        "audit started",
        "audit closed",
        "connection closed",
        "store closed",
        "admin closed",
    ]


async def test_a_transport_that_cannot_be_opened_ends_it_and_closes_what_was_open() -> None:
    world = World()
    world.connection.failure = TransportFailedError("Failed to connect; check it.")

    with pytest.raises(ServiceFailedError, match="Failed to connect; check it"):
        await world.service().run(world.stop, world.reload)

    assert world.events == [
        "admin started",
        "connection opened",
        "connection closed",
        "store closed",
        "admin closed",
    ]


async def test_a_wrong_configuration_of_the_store_ends_it_before_it_takes_requests() -> None:
    world = World(MISCONFIGURED)

    with pytest.raises(ServiceFailedError, match="The secret is wrong"):
        await world.service().run(world.stop, world.reload)

    assert "transport started" not in world.events


async def test_a_store_that_is_away_is_asked_again_until_it_answers() -> None:
    world = World(UNREACHABLE, UNREACHABLE, None)

    async with world.running():
        await world.until(lambda: "transport started" in world.events)
        assert world.logged("service.not_ready")[0]["advice"] == str(UNREACHABLE)
        assert not world.logged("service.ready")
        await world.until(lambda: bool(world.logged("service.ready")), seconds_a_turn=1)
        for _ in range(100):
            world.clock.advance(1)
            await asyncio.sleep(0)

    assert world.check.calls == 3


async def test_a_store_that_turns_out_misconfigured_ends_it() -> None:
    world = World(UNREACHABLE, MISCONFIGURED)

    async with world.running() as task:
        await world.until(task.done, seconds_a_turn=1)

    with pytest.raises(ServiceFailedError, match="The secret is wrong"):
        task.result()
    assert "transport stopped within 10" in world.events


async def test_a_connection_that_is_closed_for_good_ends_it() -> None:
    world = World()

    async with world.running() as task:
        await world.until(lambda: bool(world.logged("service.ready")))
        world.connection.is_closed = True
        await world.until(task.done, seconds_a_turn=1)

    with pytest.raises(ServiceFailedError, match="closed for good"):
        task.result()


async def test_an_address_that_cannot_be_listened_on_ends_it_before_it_connects() -> None:
    world = World()
    world.listener.failure = AdminHttpError("ADMIN_ADDR is taken; choose another.")

    with pytest.raises(ServiceFailedError, match="ADMIN_ADDR is taken"):
        await world.service().run(world.stop, world.reload)

    assert world.events == ["admin started", "admin closed"]


class OtherReplica(FakeHandler):
    """Announces an xkey."""

    def __init__(self, announced: bytes) -> None:
        super().__init__()
        self._announced = announced

    @override
    async def begin(self, request: Any) -> Reply:
        return Reply(self._announced)


async def test_another_replica_with_another_key_ends_it_before_it_takes_requests() -> None:
    world = World()
    await world.others.start(OtherReplica(SodiumXKeyPair.generate().public.encode()))

    with pytest.raises(ServiceFailedError, match="SERVER_XKEY_SEED"):
        await world.service().run(world.stop, world.reload)

    assert "transport started" not in world.events


async def test_another_replica_with_the_same_key_is_welcome() -> None:
    world = World()
    await world.others.start(OtherReplica(world.keys.current.public.encode()))

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))


async def test_a_replica_with_a_retired_key_is_a_rotation_and_worth_a_warning() -> None:
    world = World()
    await world.others.start(OtherReplica(world.keys.retired[0].public.encode()))

    async with world.running():
        await world.until(lambda: bool(world.logged("service.ready")))

    assert world.logged("server_xkey.rotating")[0]["level"] == "warning"
