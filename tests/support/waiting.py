"""Waiting for what other processes do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_SECONDS = 20.0


async def until(holds: Callable[[], bool]) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110  other processes give no event to wait for
            await asyncio.sleep(0.02)
