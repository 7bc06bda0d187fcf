"""Hosts that ask over a real server, and waiting for what becomes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.nats.client import ResilientClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.nats.channel import NatsChannel


ROOT = Path(__file__).parents[3]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event announces."""
    async with asyncio.timeout(10):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def wait_until_connected(client: ResilientClient) -> None:
    await until(lambda: client.is_connected)
    await client.flush()


def _client_of(host: NatsChannel) -> ResilientClient:
    client = host._client
    assert isinstance(client, ResilientClient)
    return client


async def ask(host: NatsChannel, count: int) -> list[bytes]:
    replies = await asyncio.gather(
        *(host.request("get", b"%d" % number, None, 20) for number in range(count))
    )
    return [reply.body for reply in replies]
