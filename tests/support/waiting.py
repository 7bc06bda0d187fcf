"""Waiting for what other processes do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_Found = TypeVar("_Found")

_PATIENCE_SECONDS = 20.0


async def until(holds: Callable[[], bool]) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110  other processes give no event to wait for
            await asyncio.sleep(0.02)


async def until_awaited(
    ask: Callable[[], Awaitable[_Found]], holds: Callable[[_Found], bool]
) -> None:
    """Ask another process again and again until its answer is so."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not holds(await ask()):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.02)
