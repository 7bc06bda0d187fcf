"""Keeps a fixed number of workers running until a signal to stop, or until none can start."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from adapters.metrics.worker_end import WorkerEnd
from bootstrap.retrying import Backoff
from bootstrap.workers.served import LOOK_SECONDS, ServedWorkers
from bootstrap.workers.worker_config import RestartHistory, end_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootstrap.workers.process import WorkerProcess
    from ports.clock import Clock

FAILED = 1
_SIGNALLED = 128
_log = structlog.get_logger()


class Supervisor:
    """Starts `count` workers and starts each again that dies, later and later.

    A worker that ends before it has ever taken requests is a mistake that trying again does not
    correct: the others are stopped, and its exit code is the supervisor's. One that hangs is killed
    and started again, whenever it does.

    Args:
        start: starts a worker in the place of those that were there before it.
        stop_seconds: the time that workers get to stop; those still there are killed.
        all_started: called once, when every worker takes requests.
        status: takes one line for operators, when workers are served no more or again.
        stopping: called once, when the workers are signalled to stop.
        starting: called once a second until every worker takes requests.

    Attributes:
        all_started: whether every worker has taken requests at one time.
    """

    def __init__(
        self,
        count: int,
        start: Callable[[RestartHistory], Awaitable[WorkerProcess]],
        clock: Clock,
        stop_seconds: float,
        *,
        all_started: Callable[[], None] = lambda: None,
        status: Callable[[str], None] = lambda _: None,
        stopping: Callable[[], None] = lambda: None,
        starting: Callable[[], None] = lambda: None,
    ) -> None:
        self._count = count
        self._start = start
        self._clock = clock
        self._stop_seconds = stop_seconds
        self._stopping = asyncio.Event()
        self._running: dict[int, WorkerProcess] = {}
        self._taking: set[int] = set()
        self._to_reload: set[int] = set()
        self._tell_all_started = all_started
        self._tell_stopping = stopping
        self._tell_starting = starting
        self.all_started = False
        self._codes = [0]
        self._served = ServedWorkers(clock, status)
        self._replaced: set[int] = set()
        self._stop_signal = signal.SIGTERM

    def stop(self) -> None:
        """Let every worker answer what is in flight and end."""
        self._stopping.set()

    def kill(self) -> None:
        """End every worker at once."""
        self._stopping.set()
        self._stop_signal = signal.SIGKILL
        self._send()

    def reload(self) -> None:
        """Have every worker read its files again; one that is starting does so once it is there."""
        for number, process in self._running.items():
            if number in self._taking:
                process.send(signal.SIGHUP)
            else:
                self._to_reload.add(number)

    async def run(self) -> int:
        """Keep the workers running until `stop`; return the worst of their exit codes."""
        keeping = [asyncio.create_task(self._keep(number)) for number in range(self._count)]
        looking = asyncio.create_task(self._look_who_is_served())
        for task in keeping:
            # None ends before, but by a bug.
            task.add_done_callback(lambda _: self.stop())
        try:
            await self._stopping.wait()
            self._tell_stopping()
            self._send()
            with suppress(TimeoutError):
                async with self._clock.timeout_at(self._clock.monotonic() + self._stop_seconds):
                    # In a shield, since those tasks end every worker process.
                    await asyncio.shield(asyncio.gather(*keeping))
        finally:
            looking.cancel()
            self.kill()
            await asyncio.gather(*keeping)
        code = max(self._codes)
        _log.info("workers.stopped", exit_code=code)
        return code

    async def _keep(self, number: int) -> None:
        backoff, has_served, history = Backoff(), False, RestartHistory(number)
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            process = await self._begin(history)
            if process is None:
                code, end = FAILED, WorkerEnd.NOT_STARTED
            else:
                served = await self._serve(process, history)
                has_served = has_served or served
                exit_code, hung = await self._end(number, process)
                code = _exit_code(exit_code, stopping=self._stopping.is_set())
                end = WorkerEnd.HUNG if hung else end_of(code)
                if number in self._replaced:
                    self._replaced.discard(number)
                    end = WorkerEnd.UNSERVED if not hung else end
            if self._stopping.is_set():
                self._codes.append(code)
                return
            if not has_served and end is not WorkerEnd.HUNG:
                # Whatever its code says, the worker got no signal to stop.
                self._codes.append(code or FAILED)
                _log.error("worker.died", worker=number, exit_code=code, advice=_NEVER_SERVED[end])
                self.stop()
                return
            history = history.and_one(end)
            pause = backoff.after(self._clock.monotonic() - began)
            _log.error(
                "worker.died",
                worker=number,
                exit_code=code,
                ended=end.value,
                again_in_seconds=pause,
            )
            await self._pause(pause)

    async def _begin(self, history: RestartHistory) -> WorkerProcess | None:
        try:
            process = await self._start(history)
        except OSError as error:
            # No memory or no processes left, which may pass.
            _log.warning("worker.not_started", worker=history.number, errno=error.errno)
            return None
        self._running[history.number] = process
        if self._stopping.is_set():
            process.send(self._stop_signal)
        return process

    async def _serve(self, process: WorkerProcess, history: RestartHistory) -> bool:
        """Wait until it takes requests, and return whether it ever did."""
        if not await process.started():
            return False
        number = history.number
        self._taking.add(number)
        if number in self._to_reload:
            process.send(signal.SIGHUP)
        if history.count:
            _log.info("worker.restarted", worker=number, pid=process.pid, deaths=history.count)
        if not self.all_started and len(self._taking) == self._count:
            self.all_started = True
            self._tell_all_started()
            _log.info("workers.started", workers=self._count)
        return True

    async def _end(self, number: int, process: WorkerProcess) -> tuple[int, bool]:
        """Wait for its end, and return the exit code and whether it was killed for hanging."""
        watching = asyncio.create_task(self._kill_if_it_hangs(number, process))
        try:
            return await process.ended(), watching.done() and watching.result()
        finally:
            watching.cancel()
            del self._running[number]
            self._taking.discard(number)
            self._to_reload.discard(number)

    async def _kill_if_it_hangs(self, number: int, process: WorkerProcess) -> bool:
        # A worker that was signalled to stop is given its time, whatever it waits for.
        if not await process.silent() or self._stopping.is_set():
            return False
        _log.error("worker.hung", worker=number, pid=process.pid, advice=_HUNG)
        # Nothing else ends a process that was stopped.
        process.send(signal.SIGKILL)
        return True

    async def _look_who_is_served(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            if not self.all_started:
                self._tell_starting()
            served = {number: self._running[number].is_served for number in self._taking}
            for number in set(self._served.look(served)) - self._replaced:
                self._replaced.add(number)
                self._running[number].send(signal.SIGTERM)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                await self._stopping.wait()

    def _send(self) -> None:
        for process in self._running.values():
            process.send(self._stop_signal)


_HUNG = (
    "This worker gave no sign of life, so it is killed and started again; what it had in flight is "
    "lost. Look whether it was stopped (SIGSTOP, a debugger), whether a disk that it uses hangs, "
    "and whether the machine is short of memory or processors. If none of it, report it."
)
_BY_ITSELF = (
    "This worker ended before it took any request, and so would the next: put right what its own "
    "records say, then start the service again."
)
_NEVER_SERVED = {
    WorkerEnd.FAILED: _BY_ITSELF,
    WorkerEnd.ENDED: _BY_ITSELF,
    WorkerEnd.KILLED: "This worker was killed before it took any request, without a chance to say "
    "anything. Mostly the system does that for want of memory: look for it in the system's log "
    "(dmesg) or the container's last state, give it more memory or lower WORKERS, then start the "
    "service again.",
    WorkerEnd.SIGNALLED: "A signal ended this worker before it took any request; exit_code is 128 "
    "and the signal's number. If no operator sent it, it is a crash: look in the system's log and "
    "report it, then start the service again.",
    WorkerEnd.NOT_STARTED: "The system could not make a process for this worker: look at the "
    "limits of memory and processes, or lower WORKERS, then start the service again.",
}


def _exit_code(code: int, *, stopping: bool) -> int:
    """Return the code as a shell counts it; 0 for a worker that ended at the signal to stop."""
    if stopping and code == -signal.SIGTERM:
        # It was still starting and had nothing in flight.
        return 0
    return code if code >= 0 else _SIGNALLED - code
