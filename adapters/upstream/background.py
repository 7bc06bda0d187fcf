"""A timer, and the log of tasks in the background that crash."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.clock import Clock

_log = structlog.get_logger()


def report_crash(task: asyncio.Task[Any]) -> None:
    """Log that a background task ended by a bug.

    Asking for the exception also keeps asyncio from reporting it with its text.
    """
    if not task.cancelled() and (crash := task.exception()) is not None:
        _log.error("upstream.task_crashed", task=task.get_name(), error_type=type(crash).__name__)


@final
class Timer:
    """Calls back once, at the earliest of the times set since it last did. `at`: when that is, in
    monotonic seconds; infinite if it is not set.
    """

    def __init__(self, clock: Clock, name: str, call: Callable[[], None]) -> None:
        self._clock = clock
        self._name = name
        self._call = call
        self._task: asyncio.Task[None] | None = None
        self.at = math.inf

    def set(self, at: float) -> None:
        """Call back at that time, unless it does so before."""
        if at >= self.at:
            return
        if self._task is not None:
            self._task.cancel()
        self.at = at
        self._task = asyncio.create_task(self._wait(at), name=self._name)

    async def aclose(self) -> None:
        """Call back no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _wait(self, at: float) -> None:
        while (now := self._clock.monotonic()) < at:
            await self._clock.sleep(at - now)
        self._task = None
        self.at = math.inf
        self._call()
