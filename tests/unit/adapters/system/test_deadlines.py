"""Deadlines of one moment share a timer; what else a clock promises is in its contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.system.deadlines import MOMENTS_A_SECOND, BoundedBlock, Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 0.5 / MOMENTS_A_SECOND
FAR = 3600.0


async def test_blocks_of_one_moment_have_one_timer_which_the_last_of_them_takes_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    made: list[asyncio.TimerHandle] = []
    call_at = loop.call_at

    def counted(when: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        made.append(call_at(when, call))
        return made[-1]

    monkeypatch.setattr(loop, "call_at", counted)
    deadlines, when = Deadlines(loop), loop.time() + FAR
    leave = [asyncio.Event() for _ in range(3)]

    async def block(event: asyncio.Event) -> None:
        async with BoundedBlock(deadlines, when):
            await event.wait()

    blocks = [asyncio.create_task(block(event)) for event in leave]
    await asyncio.sleep(0)
    cancelled = []
    for event, task in zip(leave, blocks, strict=True):
        cancelled.append(made[0].cancelled())
        event.set()
        await task

    assert cancelled == [False, False, False]
    assert made[0].cancelled()
    assert len(made) == 1


async def test_all_blocks_of_a_moment_end_when_it_comes() -> None:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    when = loop.time() + SOON

    async def block() -> None:
        async with BoundedBlock(deadlines, when):
            await asyncio.Event().wait()

    ends = await asyncio.gather(block(), block(), return_exceptions=True)

    assert [type(end) for end in ends] == [TimeoutError, TimeoutError]
    assert loop.time() >= when


async def test_a_block_outside_of_a_task_is_refused() -> None:
    found: list[BaseException] = []
    deadlines = Deadlines(asyncio.get_running_loop())

    def enter() -> None:
        try:
            BoundedBlock(deadlines, 0.0).__aenter__().send(None)
        except RuntimeError as error:
            found.append(error)

    asyncio.get_running_loop().call_soon(enter)
    await asyncio.sleep(0)

    assert len(found) == 1


async def test_an_error_of_the_block_passes_through_as_it_is() -> None:
    deadlines = Deadlines(asyncio.get_running_loop())

    with pytest.raises(ValueError, match="its own"):
        async with BoundedBlock(deadlines, asyncio.get_running_loop().time() + FAR):
            raise ValueError("its own")
