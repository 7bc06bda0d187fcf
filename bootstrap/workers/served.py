"""Workers that answer nothing while nats-server goes on sending them requests.

Which workers would be asked by hosts is known by the same check that `/readyz` goes by. One that is
not served while another one is has a trouble of its own, such as a connection that no longer works:
a new process corrects it. Where none is served the cause lies outside, and each goes on asking.

Of a process that a signal stopped (SIGSTOP) the kernel notifies the parent at once, and SIGCONT has
it answer what has arrived meanwhile. Ending it instead would lose that. See ADR 129.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ports.clock import Clock


LOOK_SECONDS: Final = 1.0

UNSERVED_SECONDS: Final = 20.0
"""Some rounds of the check longer than a reconnect and a permission that is given back take."""

_log = structlog.get_logger()

STOPPED_SECONDS: Final = 0.5
"""Far shorter than hosts wait, and longer than tools stop a process that they let go on."""


class ServedWorkers:
    """Compares what the workers say of themselves. `show`: takes one line for operators whenever
    something changes.
    """

    def __init__(self, clock: Clock, show: Callable[[str], None]) -> None:
        self._clock = clock
        self._show = show
        self._since: dict[int, float] = {}

    def look(self, served: Mapping[int, bool]) -> list[int]:
        """Take whether each worker that takes requests is served; return those to be replaced."""
        now = self._clock.monotonic()
        before = set(self._since)
        unserved = {number for number, is_served in served.items() if not is_served}
        self._since = {number: self._since.get(number, now) for number in unserved}
        for number in sorted(unserved - before):
            _log.error("worker.not_served", worker=number, advice=_NOT_SERVED)
        for number in sorted((before - unserved) & served.keys()):
            _log.info("worker.served_again", worker=number)
        if unserved != before:
            self._show(_status(len(served) - len(unserved), len(served)))
        if len(unserved) == len(served):
            return []
        return [number for number in unserved if now - self._since[number] >= UNSERVED_SECONDS]


def _status(served: int, count: int) -> str:
    if served == count:
        return "All workers take requests"
    return f"Of {count} workers, {served} would be asked by hosts; see the log"


class StoppedProcesses:
    """Lets each go on that has been stopped for half a second."""

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


_NOT_SERVED: Final = (
    "Hosts would not be answered by this worker; its own records say why, and its /readyz. It asks "
    f"again by itself. If it stays so for {UNSERVED_SECONDS:.0f} s while another worker is served, "
    "it is replaced."
)
_STOPPED: Final = (
    "A signal (SIGSTOP) had stopped this worker, and SIGCONT lets it go on, since it would be sent "
    "requests all the same. To stop a worker on purpose, use WORKERS=1."
)
