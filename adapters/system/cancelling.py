"""Ending tasks that may lose or swallow the first word of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_AGAIN_SECONDS = 0.1


def honour_cancellation() -> None:
    """Leave with CancelledError if this task was asked to end, whatever became of that since."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def cancel(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel tasks until each of them is done; what they end with is left to their owners.

    Again and again: nats-py 2.16 swallows a cancellation while it closes or drains, and until
    Python 3.12 `asyncio.wait_for` loses one that meets a result.
    """
    running = set(tasks)
    while running := {task for task in running if not task.done()}:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN_SECONDS)
