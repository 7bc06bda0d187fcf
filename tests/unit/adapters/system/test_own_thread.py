"""Blocking calls in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

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
