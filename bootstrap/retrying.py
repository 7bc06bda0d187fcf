"""What is tried again at growing intervals: connecting, workers that died, background tasks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.system.cancelling import cancel
from adapters.telemetry.fault_log import describe_error
from ports.transport_plugin import TransportRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from adapters.system.service_manager import ServiceManager
    from ports.clock import Clock
    from ports.transport_plugin import TransportParts


FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 60.0
"""A worker that lived this long did not die of what its predecessors died of."""

HEALED_SECONDS: Final = 5.0
"""A task that runs this long after a failure counts as healthy again."""

_log = structlog.get_logger()


def retry_pauses(first_seconds: float = 1.0) -> Iterator[float]:
    """Return the seconds before each further try, doubled from one to the next up to 30."""
    pause = first_seconds
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_SECONDS)


class Backoff:
    """Doubles from death to death, and begins again after a healthy life."""

    def __init__(self) -> None:
        self._pauses = retry_pauses(FIRST_SECONDS)

    def after(self, lived_seconds: float) -> float:
        """Return the seconds to wait after a life of that length."""
        if lived_seconds >= HEALTHY_SECONDS:
            self._pauses = retry_pauses(FIRST_SECONDS)
        return next(self._pauses)


async def open_patiently(part: TransportParts, clock: Clock, manager: ServiceManager) -> None:
    """Open a transport, again and again while the other side is there and refuses this service.

    Raises:
        TransportFailedError: it cannot be opened for another reason.
    """
    for pause in retry_pauses():
        try:
            await part.open()
        except TransportRefusedError as error:
            _log.warning("service.not_ready", again_in_seconds=pause, advice=str(error))
            manager.still_starting("Not connected; see the log", pause)
        else:
            return
        await clock.sleep(pause)


@final
class SupervisedTask:
    """Runs a store's background task, such as a watch, until it is closed.

    A task that returns or raises is started again after a pause that doubles up to half a minute.

    Args:
        run: None for nothing to run.
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
            frames: object = None
            try:
                await run()
            except Exception as error:  # noqa: BLE001  whatever ended it, it is started again
                self._failure, frames = type(error).__name__, describe_error(error)["frames"]
            else:
                self._failure = "without an error"
            self._began = None
            pause = backoff.after(self._clock.monotonic() - began)
            _log.error(
                "store.task_ended",
                store=self._title,
                error=self._failure,
                frames=frames,
                again_in_seconds=pause,
            )
            await self._clock.sleep(pause)
