"""The pages of a running service's admin HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx

from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_PATIENCE_SECONDS = 20.0
_clock = SystemClock()


class Pages:
    """The admin HTTP, as an operator's tools see it."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def get(self, path: str) -> httpx.Response:
        """Ask for one page."""
        async with httpx.AsyncClient(base_url=f"http://{self.address}") as client:
            return await client.get(path)

    async def checks(self) -> dict[str, Any]:
        """Return what /readyz says of each check."""
        document = json.loads((await self.get("/readyz")).content)
        checks: dict[str, Any] = document["checks"]
        return checks

    async def value(self, sample: str) -> float | None:
        """Return one sample of a scrape; its name goes without the service's prefix."""
        text = (await self.get("/metrics")).text
        for line in text.splitlines():
            name, _, number = line.rpartition(" ")
            if name == f"wasmcloud_secrets_{sample}":
                return float(number)
        return None

    async def is_ready(self) -> bool:
        """Say whether /readyz answers 200."""
        return (await self.get("/readyz")).status_code == 200


async def until_so(holds: Callable[[], Awaitable[bool]]) -> float:
    """Ask again and again until something is so, and return after how many seconds it was."""
    began = _clock.monotonic()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110  other processes give no event to wait for
            await asyncio.sleep(0.05)
    return _clock.monotonic() - began
