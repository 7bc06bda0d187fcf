"""One timer that is set again and again."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.clock import Clock


class Alarm:
    """Rings once, at the earliest of the times set since it last rang."""

    def __init__(self, clock: Clock, name: str, ring: Callable[[float], None]) -> None:
        """Take what to call, with the time it was set to; `name` is the task's."""
        self._clock = clock
        self._name = name
        self._ring = ring
        self._task: asyncio.Task[None] | None = None
        self.at = math.inf
        """When it rings, in monotonic seconds; infinite if it is not set."""

    def set(self, at: float) -> None:
        """Ring at that time, unless it rings before."""
        if at >= self.at:
            return
        if self._task is not None:
            self._task.cancel()
        self.at = at
        self._task = asyncio.create_task(self._wait(at), name=self._name)

    async def aclose(self) -> None:
        """Ring no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _wait(self, at: float) -> None:
        while (now := self._clock.monotonic()) < at:
            await self._clock.sleep(at - now)
        self._task = None
        self.at = math.inf
        self._ring(at)
