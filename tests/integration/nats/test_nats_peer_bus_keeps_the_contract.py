"""The peer bus over a real nats-server, each process with a connection of its own."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest_asyncio
from typing_extensions import override

from adapters.crypto.control_messages import ControlCodec
from adapters.nats.connection import NatsConnection
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import ControlSubjects
from adapters.system.clock import SystemClock
from wasmcloud_secrets.testing.peer_bus import PeerBusContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.peer_bus import PeerBus

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
