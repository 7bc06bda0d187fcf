"""Letting tasks run until each of them waits."""

from __future__ import annotations

import asyncio

_MOST_TURNS = 100_000


async def settle() -> None:
    """Let every task that can run do so, until all of them wait for something.

    Raises:
        AssertionError: some task never waits.
    """
    ready = vars(asyncio.get_running_loop())["_ready"]  # asyncio has no public name for it
    for _ in range(_MOST_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
    raise AssertionError("some task never waits")
