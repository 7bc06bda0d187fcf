"""Blocking calls keep to their own thread; tasks that lose a cancellation are cancelled again."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from adapters.system.cancelling import cancel, honour_cancellation
from adapters.system.own_thread import OwnThread


async def test_a_call_is_made_while_every_shared_thread_hangs() -> None:
    loop = asyncio.get_running_loop()
    release = threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    hanging = [loop.run_in_executor(None, release.wait) for _ in range(3)]
    thread = OwnThread("test")
    try:
        assert await thread.run(lambda: threading.current_thread().name) == "test_0"
    finally:
        release.set()
        await asyncio.gather(*hanging)
        thread.end()


async def test_calls_are_made_one_after_the_other() -> None:
    thread = OwnThread("test")
    made: list[int] = []

    await asyncio.gather(*[thread.run(partial(made.append, number)) for number in range(50)])
    thread.end()

    assert made == list(range(50))


async def test_what_a_call_raises_is_raised_to_who_waits_for_it() -> None:
    def fail() -> None:
        raise OSError("disk")

    thread = OwnThread("test")

    with pytest.raises(OSError, match="disk"):
        await thread.run(fail)
    thread.end()


async def test_after_its_end_no_call_is_taken() -> None:
    thread = OwnThread("test")
    thread.end()

    with pytest.raises(RuntimeError):
        await thread.run(lambda: None)


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
