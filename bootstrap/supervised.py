"""A background task that is started again when it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.system.cancelling import cancel
from bootstrap.workers.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.clock import Clock

HEALED_SECONDS: Final = 5.0
"""A task that runs this long after a failure counts as healthy again."""

_log = structlog.get_logger()


@final
class SupervisedTask:
    """Runs a store's background task, such as a watch, until it is closed.

    A task that returns or raises is started again after a pause that doubles up to half a minute.

    Args:
        run: the task; None for nothing to run.
        title: whose task it is, in prose.
    """

    def __init__(self, run: Callable[[], Awaitable[None]] | None, title: str, clock: Clock) -> None:
        self._run = run
        self._title = title
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._failure: str | None = None
        self._began: float | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a task to run."""
        return self._run is not None

    def start(self) -> None:
        """Begin to run it."""
        if self._run is not None:
            self._task = asyncio.create_task(self._supervise(self._run), name="store-task")

    async def aclose(self) -> None:
        """Cancel it; calling it again does nothing."""
        task, self._task = self._task, None
        if task is not None:
            await cancel({task})

    def problem(self) -> str | None:
        """Return what readiness says while the task fails; None while it runs."""
        if self._failure is None:
            return None
        began = self._began
        if began is not None and self._clock.monotonic() - began >= HEALED_SECONDS:
            self._failure = None
            return None
        return (
            f"The background task of {self._title} ended ({self._failure}) and is started again; "
            "the service's log has the failure. Check the store's health and its permissions."
        )

    async def _supervise(self, run: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff()
        while True:
            self._began = began = self._clock.monotonic()
            try:
                await run()
            except Exception as error:  # noqa: BLE001  whatever ended it, it is started again
                self._failure = type(error).__name__
            else:
                self._failure = "without an error"
            self._began = None
            pause = backoff.after(self._clock.monotonic() - began)
            _log.error(
                "store.task_ended", store=self._title, error=self._failure, again_in_seconds=pause
            )
            await self._clock.sleep(pause)
