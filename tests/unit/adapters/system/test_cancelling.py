"""Tasks that do not hear the first word are told again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from adapters.system.cancelling import cancel, honour_cancellation


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await cancel([task])

    assert task.cancelled()
    assert swallowed == 2


async def test_tasks_that_are_done_are_left_alone() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    await task

    await cancel(one for one in [task])

    assert not task.cancelled()


async def test_a_swallowed_cancellation_can_be_honoured_later() -> None:
    async def forgetful() -> None:
        honour_cancellation()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        honour_cancellation()
        raise AssertionError("it should have left")

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
