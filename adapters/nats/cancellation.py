"""Telling a cancellation of this task from everything that only looks like one, or hides one."""

from __future__ import annotations

import asyncio


def honour_cancellation() -> None:
    """Leave with CancelledError if this task was asked to end, whatever became of that since.

    Until Python 3.12 `asyncio.wait_for` loses a cancellation that meets a result.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
