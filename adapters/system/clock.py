"""The machine's own time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.system.deadlines import BoundedBlock, Deadlines
from ports.clock import Clock

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class SystemClock(Clock):
    """Bound to no event loop: one instance serves every loop and thread of the process."""

    def __init__(self) -> None:
        # Of the loop that asked last; those of another loop live on by what bounds its blocks.
        self._deadlines: Deadlines | None = None

    # Asked for half a dozen times in each request, so without a function around them.
    now = staticmethod(time.time)  # noqa: TID251  all other code takes the time from here
    monotonic = staticmethod(time.monotonic)  # noqa: TID251  as above

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @override
    def timeout_at(self, deadline: float) -> AbstractAsyncContextManager[object]:
        loop, deadlines = asyncio.get_running_loop(), self._deadlines
        if deadlines is None or deadlines.loop is not loop:
            deadlines = self._deadlines = Deadlines(loop)
        # A loop may count from a start of its own, so the deadline is carried over as a distance.
        return BoundedBlock(deadlines, loop.time() + (deadline - self.monotonic()))
