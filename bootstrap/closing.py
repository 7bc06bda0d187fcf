"""How the service ends: by which failure, and how long a replica may take to close.

Whatever hangs meanwhile, its supervisor and its service manager rely on the time: a process that is
killed loses audit events.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar, final

import structlog

from adapters.admin_http.address import AdminHttpError
from adapters.audit.sink import BufferLimits
from adapters.change_notice.notices import CLOSE_SECONDS as NOTICES_SECONDS
from adapters.system.cancelling import cancel
from ports.store_check import StoreMisconfiguredError
from ports.transport_plugin import TransportFailedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ports.clock import Clock


_T = TypeVar("_T")

ANSWERS_SECONDS: Final = 5.0
"""Seconds after the grace period by which requests still in flight are refused and answers sent."""

RECORDS_SECONDS: Final = ANSWERS_SECONDS + max(BufferLimits().grace_seconds, NOTICES_SECONDS) + 1.0
"""Seconds after the grace period by which the audit trail is closed and notices are published."""

TRANSPORT_SECONDS: Final = RECORDS_SECONDS + 1.5
"""Seconds after the grace period by which the transport is disconnected. From here on there is
nothing left to lose."""

CLOSING_SECONDS: Final = TRANSPORT_SECONDS + 1.5
"""Seconds after the grace period by which everything is closed."""

_log = structlog.get_logger()


async def caught(work: Awaitable[_T], kind: type[Exception]) -> _T | Exception:
    """Await the work, and return its result or the error of that kind that it raised."""
    try:
        return await work
    except kind as error:
        return error


async def awaited(watch: Callable[[], Awaitable[None]]) -> None:
    """Run a watch as a coroutine of its own."""
    # Called within the task: one that is cancelled before its first step leaves nothing behind.
    await watch()


async def unless(stop: asyncio.Event, work: Coroutine[None, None, bool]) -> bool | None:
    """Do the work, or give it up and return None as soon as `stop` is set."""
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopping.cancel()
        await cancel({task})
        if not task.cancelled():
            # Asking keeps asyncio from reporting an error that no longer matters.
            task.exception()


class WorkersEndedError(Exception):
    """The workers ended with something else than 0; their own records say why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class ServiceFailedError(Exception):
    """The service cannot go on; the text says what to do and holds no credential. Exit code 1."""


class ServiceMisconfiguredError(ServiceFailedError):
    """What is configured cannot work, so that starting again does not help. Exit code 2. `advices`:
    what to do, one text for each problem.
    """

    def __init__(self, *advices: str) -> None:
        super().__init__("\n".join(advices))
        self.advices = advices


def failure_of(error: BaseException) -> BaseException:
    """Return what ends the process, with the exit code that the error means."""
    match error:
        case StoreMisconfiguredError():
            return ServiceMisconfiguredError(str(error))
        case AdminHttpError() if not error.may_pass:
            return ServiceMisconfiguredError(str(error))
        case AdminHttpError() | TransportFailedError():
            return ServiceFailedError(str(error))
        case _:
            return error


@final
class Closing:
    """Deadlines of one close. They count from its first part on: what one saves the next ones have.
    `grace_seconds`: for requests in flight, before anything else.
    """

    def __init__(self, clock: Clock, grace_seconds: float) -> None:
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._began: float | None = None

    async def finish(self, part: str, seconds: float, close: Callable[[], Awaitable[None]]) -> None:
        """Close one part, or give it up at its deadline.

        Args:
            seconds: the deadline, after the grace period.
            close: what closes it. Its exceptions pass through.
        """
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now
        closing = asyncio.ensure_future(close())
        try:
            async with self._clock.timeout_at(self._began + self._grace_seconds + seconds):
                await asyncio.wait({closing})
        except TimeoutError:
            _log.warning("service.part_not_closed", part=part)
        finally:
            await cancel({closing})
        if not closing.cancelled():
            closing.result()
