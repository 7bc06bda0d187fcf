"""Processes that a signal stopped (SIGSTOP): nats-server goes on sending them requests.

The kernel notifies their parent at once, and SIGCONT has them answer what has arrived meanwhile.
Ending one instead would lose it. See ADR 129.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

STOPPED_SECONDS: Final = 0.5
"""Far shorter than hosts wait, and longer than tools stop a process that they let go on."""

_log = structlog.get_logger()


class StoppedProcesses:
    """Lets each go on that has been stopped for half a second.

    Args:
        send: sends a signal to a process.
    """

    def __init__(self, send: Callable[[int, signal.Signals], None]) -> None:
        self._send = send
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def changed(self, pid: int, is_stopped: bool) -> None:  # noqa: FBT001  as a parent hears it
        """Take that a process was stopped, or goes on or has ended."""
        if timer := self._timers.pop(pid, None):
            timer.cancel()
        if is_stopped:
            loop = asyncio.get_running_loop()
            self._timers[pid] = loop.call_later(STOPPED_SECONDS, self._go_on, pid)

    def close(self) -> None:
        """Leave those that are stopped as they are."""
        for pid in [*self._timers]:
            self.changed(pid, is_stopped=False)

    def _go_on(self, pid: int) -> None:
        del self._timers[pid]
        _log.warning("worker.stopped", pid=pid, advice=_STOPPED)
        self._send(pid, signal.SIGCONT)


_STOPPED: Final = (
    "A signal (SIGSTOP) had stopped this worker, and SIGCONT lets it go on, since it would be sent "
    "requests all the same. To stop a worker on purpose, use WORKERS=1."
)
