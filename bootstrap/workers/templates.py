"""The supervisor's end of the processes that workers are forked from.

There are two of them, so that one can stand in for the other: workers are forked from the first,
and a copy of the one that is left takes the place of one that ended or hung. See ADR 111.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from adapters.system.clock import SystemClock
from bootstrap.retrying import Backoff
from bootstrap.workers.lifeline import SignsOfLife
from bootstrap.workers.process import ChildProcess, TemplateGoneError, TemplateProcess
from bootstrap.workers.served import StoppedProcesses
from bootstrap.workers.template import (
    CHANGES,
    COPY,
    START,
    TemplateEnds,
    template_sockets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ADOPTED_SECONDS: Final = 1.0
"""Longer than Linux takes to hand the children of a process that ended to the supervisor."""

_log = structlog.get_logger()


@dataclass
class _Forked:
    """A process: its end, the template that forked it unless that is gone, the latest signal."""

    end: asyncio.Future[int]
    template: TemplateProcess | None
    signalled: int | None = None


class Templates:
    """Forks workers, signals them and hears of their ends, whichever template is there.

    Args:
        ends: of `fork_template`; the first is the one that workers are forked from.
        gone: called once no template is left.
    """

    def __init__(self, ends: Sequence[TemplateEnds], gone: Callable[[], None]) -> None:
        self._gone = gone
        self._clock = SystemClock()
        self._backoff = Backoff()
        self._processes: dict[int, _Forked] = {}
        self._templates: list[TemplateProcess] = []
        self._watching: set[asyncio.Task[None]] = set()
        self._stopped = StoppedProcesses(self._deliver)
        self._loop = asyncio.get_running_loop()
        for each in ends:
            self._take(each)
        # Processes whose template is gone are this one's children.
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    async def close(self) -> None:
        """End the templates; to be called once the workers have ended."""
        self._stopped.close()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        while self._templates:
            self._templates.pop().close()
        self._loop.remove_signal_handler(signal.SIGCHLD)

    async def start(self, handover_line: bytes) -> ChildProcess:
        """Start a worker and hand it what it begins with, by a descriptor and by nothing else.

        Raises:
            OSError: the system has no process for it, or no template is left.
        """
        while self._templates:
            # A pair for each try: a worker that a template forked at its end finds it closed.
            ours, theirs = socket.socketpair()
            try:
                pid = await self._templates[0].fork(START, theirs)
            except BaseException as error:
                ours.close()
                if not isinstance(error, TemplateGoneError):
                    raise
                continue
            finally:
                theirs.close()
            end = self._processes[pid].end
            reader, writer = await asyncio.open_connection(sock=ours)
            writer.write(handover_line)
            signs = SignsOfLife(reader, SystemClock())
            return ChildProcess(pid, partial(self._send, pid), end, signs, writer)
        raise TemplateGoneError(0, "no template is left")

    def _send(self, pid: int, number: int) -> None:
        if (process := self._processes.get(pid)) is not None:
            process.signalled = number
            self._deliver(pid, number)

    def _deliver(self, pid: int, number: int) -> None:
        if (process := self._processes.get(pid)) is None:
            return
        if process.template is not None:
            process.template.send(pid, number)
        else:
            # Its pid is no other process's before `_reap` says so.
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _take(self, ends: TemplateEnds) -> None:
        template = TemplateProcess(ends, self._forked, self._ended, self._changed)
        self._templates.append(template)
        task = asyncio.create_task(self._watch(template))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    def _forked(self, template: TemplateProcess, pid: int) -> None:
        self._processes[pid] = _Forked(self._loop.create_future(), template)

    def _ended(self, pid: int, code: int) -> None:
        self._stopped.changed(pid, is_stopped=False)
        if (process := self._processes.pop(pid, None)) is not None:
            process.end.set_result(code)

    def _changed(self, pid: int, is_stopped: bool) -> None:  # noqa: FBT001  as a template says it
        # A template that is stopped is no loss: the other stands in for it.
        self._stopped.changed(pid, is_stopped and pid in self._processes)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, CHANGES)
                if not pid:
                    return
                if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                    self._changed(pid, os.WIFSTOPPED(status))
                else:
                    self._ended(pid, os.waitstatus_to_exitcode(status))

    async def _watch(self, template: TemplateProcess) -> None:
        began = self._clock.monotonic()
        if await template.hangs():
            _log.error("workers.template_hung", pid=template.pid, advice=_HUNG)
        else:
            _log.error("workers.template_ended", pid=template.pid, advice=_ENDED)
        self._templates.remove(template)
        template.close()
        left = [pid for pid, of in self._processes.items() if of.template is template]
        for pid in left:
            process = self._processes[pid]
            process.template = None
            if process.signalled is not None:
                # The template may not have come to that.
                self._send(pid, process.signalled)
        if not self._templates:
            self._gone()
        pause = self._backoff.after(self._clock.monotonic() - began)
        await self._clock.sleep(_ADOPTED_SECONDS)
        self._end_those_not_adopted(left)
        await self._clock.sleep(pause)
        await self._copy()

    def _end_those_not_adopted(self, pids: Iterable[int]) -> None:
        """Take processes for ended that the template did not tell of, and that are no children."""
        # Of a child that was stopped before it became one no signal tells.
        self._reap()
        for pid in pids:
            if pid not in self._processes:
                continue
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                self._ended(pid, -signal.SIGTERM)
            else:
                if ended:
                    self._ended(pid, os.waitstatus_to_exitcode(status))

    async def _copy(self) -> None:
        """Have the template that is left fork a copy of itself."""
        while self._templates:
            ours, theirs = template_sockets()
            try:
                pid = await self._templates[0].fork(COPY, *theirs)
            except OSError as error:
                for end in ours:
                    end.close()
                if not isinstance(error, TemplateGoneError):
                    _log.warning("workers.template_not_started", errno=error.errno)
                    await self._clock.sleep(self._backoff.after(0.0))
                continue
            finally:
                for end in theirs:
                    end.close()
            self._take(TemplateEnds(pid, *ours))
            _log.info("workers.template_replaced", pid=pid)
            return


_HUNG: Final = (
    "The process that workers are forked from gave no sign of life, so it is killed and replaced; "
    "the workers go on. Look whether it was stopped (SIGSTOP, a debugger), and whether the machine "
    "is short of memory or processors. If none of it, report it."
)
_ENDED: Final = (
    "The process that workers are forked from has ended; it is replaced, and the workers go on. "
    "Mostly the system does that for want of memory: look for it in the system's log (dmesg) or "
    "the container's last state, and give it more memory or lower WORKERS."
)
