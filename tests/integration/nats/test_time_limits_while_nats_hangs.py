"""Time limits around what is sent hold while nats-server takes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.workers.test_stopping_while_nats_hangs import standing_still

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer

LIMIT_SECONDS = 0.5
_clock = SystemClock()


async def publish_within(connection: NatsConnection, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while True:
            await connection.client.publish("subject", bytes(500_000))


async def test_a_full_buffer_keeps_nobody_beyond_a_limit(
    fresh_nats_server: LocalNatsServer,
) -> None:
    config = NatsSettings(urls=(fresh_nats_server.url,))

    async with NatsConnection(config, _clock) as connection:
        with standing_still(fresh_nats_server):
            began = _clock.monotonic()
            with pytest.raises(TimeoutError):
                await publish_within(connection, LIMIT_SECONDS)
            took = _clock.monotonic() - began

    assert LIMIT_SECONDS <= took < LIMIT_SECONDS + 1.0
