"""Coroutines around others: what they raise as a value, and work that a stop gives up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from adapters.system.cancelling import cancel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_T = TypeVar("_T")


async def caught(work: Awaitable[_T], kind: type[Exception]) -> _T | Exception:
    """Await the work, and return its result or the error of that kind that it raised."""
    try:
        return await work
    except kind as error:
        return error


async def awaited(watch: Callable[[], Awaitable[None]]) -> None:
    """Run a watch as a coroutine of its own."""
    # Called within the task: one that is cancelled before its first step leaves nothing behind.
    await watch()


async def unless(stop: asyncio.Event, work: Coroutine[None, None, bool]) -> bool | None:
    """Do the work, or give it up and return None as soon as `stop` is set."""
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopping.cancel()
        await cancel({task})
        if not task.cancelled():
            # Asking keeps asyncio from reporting an error that no longer matters.
            task.exception()
