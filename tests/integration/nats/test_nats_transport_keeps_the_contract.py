"""The transport and the peer bus over a real nats-server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest_asyncio
from typing_extensions import override

from adapters.crypto.control_messages import ControlCodec
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import ControlSubjects, SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from tests.contracts.transport import TransportContract
from wasmcloud_secrets.testing.peer_bus import PeerBusContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.peer_bus import PeerBus


class TestNatsTransport(TransportContract):
    @pytest_asyncio.fixture(autouse=True)
    async def connections(self, nats_url: str, subject_prefix: str) -> AsyncIterator[None]:
        self.system_clock = SystemClock()
        self.subjects = SecretsSubjects(prefix=subject_prefix)
        config = NatsSettings(urls=(nats_url,))
        async with (
            NatsConnection(config, self.system_clock) as self.service,
            NatsConnection(config, self.system_clock) as self.host,
        ):
            yield

    @override
    def transport(self, max_in_flight: int = 1000) -> NatsTransport:
        return NatsTransport(
            self.service.client, self.subjects, self.system_clock, max_in_flight=max_in_flight
        )

    @override
    def channel(self) -> NatsChannel:
        return NatsChannel(self.host.client, self.subjects)

    @override
    def clock(self) -> SystemClock:
        return self.system_clock

    @override
    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


PROCESSES = 3
CLOCK = SystemClock()


class TestNatsPeerBus(PeerBusContract):
    @pytest_asyncio.fixture(autouse=True)
    async def _connected(self, nats_url: str, subject_prefix: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self.buses = []
            for _ in range(PROCESSES):
                connection = NatsConnection(NatsSettings(urls=(nats_url,)), CLOCK)
                await stack.enter_async_context(connection)
                codec = ControlCodec([b"k" * 32], CLOCK)
                subjects = ControlSubjects(subject_prefix)
                self.buses.append(NatsPeerBus(connection.client, subjects, CLOCK, codec))
                stack.push_async_callback(self.buses[-1].aclose)
            yield

    @override
    def bus(self) -> PeerBus:
        return self.buses.pop()
