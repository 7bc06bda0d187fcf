"""A connect that succeeds, and the text of one that fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from adapters.nats.settings import NatsSettings


CANARY = "c4n4ry"


async def assert_connects(config: NatsSettings) -> None:
    async with NatsConnection(config, SystemClock()) as connection:
        assert connection.is_connected
        await connection.client.flush()


async def fail(config: NatsSettings, connect_timeout: float = 5.0) -> NatsConnectError:
    """Return what the first connect fails with, well within bounded time."""
    connection = NatsConnection(config, SystemClock(), connect_timeout=connect_timeout)
    async with asyncio.timeout(10):
        with pytest.raises(NatsConnectError) as failure:
            await connection.open()
    await connection.close()
    assert CANARY not in str(failure.value)
    assert str(failure.value).startswith("Failed to connect to NATS at ")
    return failure.value
