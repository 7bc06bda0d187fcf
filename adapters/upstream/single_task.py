"""Work in the background, of which one at a time is enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_log = structlog.get_logger()


@final
class SingleTask:
    """Runs the work it is given unless some is running already."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin the work, or leave the running one as it is."""
        if self._task is None:
            self._task = asyncio.create_task(work(), name=self._name)
            self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        """Cancel the running work."""
        if self._task is not None:
            self._task.cancel()

    async def aclose(self) -> None:
        """Cancel the running work, and wait for its end."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait({task})

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        report_crash(task)


def report_crash(task: asyncio.Task[Any]) -> None:
    """Log that a background task ended by a bug.

    Asking for the exception also keeps asyncio from reporting it with its text.
    """
    if not task.cancelled() and (crash := task.exception()) is not None:
        _log.error("upstream.task_crashed", task=task.get_name(), error_type=type(crash).__name__)
