"""The transport over a real nats-server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest_asyncio
from typing_extensions import override

from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from tests.contracts.transport import TransportContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


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
