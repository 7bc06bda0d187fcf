"""Worker processes as the supervisor sees them, and the real ones."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from adapters.system.clock import SystemClock
from bootstrap.workers.heartbeat import SignsOfLife
from bootstrap.workers.template import (
    ENDED,
    MAX_MESSAGE_BYTES,
    NOT_STARTED,
    SEND,
    START,
    STARTED,
    message,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.workers.restart_history import RestartHistory


class WorkerProcess(Protocol):
    """One life of one worker."""

    @property
    def pid(self) -> int: ...

    @property
    def is_served(self) -> bool:
        """Whether hosts would be answered, as it last said."""
        ...

    async def started(self) -> bool:
        """Wait until it takes requests; False if it ended or fell silent instead."""
        ...

    async def silent(self) -> bool:
        """Wait until it gives no more signs of life; False if it ended instead.

        To be called once `started` has returned.
        """
        ...

    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if it has ended."""
        ...


class StartWorker(Protocol):
    """Starts a worker in the place of those that were there before it."""

    async def __call__(self, history: RestartHistory) -> WorkerProcess: ...


class Workers:
    """The template's end of the supervisor: forks workers, signals them and hears of their ends.

    Args:
        control: the socket of `fork_template`; used by the running event loop.
        gone: called once the template has ended by itself, and its workers with it.
    """

    def __init__(self, control: socket.socket, gone: Callable[[], None]) -> None:
        self._control = control
        self._gone = gone
        self._starting: deque[asyncio.Future[int]] = deque()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(control, self._read)

    def close(self) -> None:
        """Let the template end."""
        self._loop.remove_reader(self._control)
        self._control.close()

    async def start(self, handover_line: bytes) -> ChildProcess:
        """Start a worker and hand it what it begins with, by a descriptor and by nothing else.

        Raises:
            OSError: the system has no process for it, or the template is gone.
        """
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [message(START)], [theirs.fileno()])
            started: asyncio.Future[int] = self._loop.create_future()
            self._starting.append(started)
            pid = await started
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(handover_line)
        return ChildProcess(pid, self, SignsOfLife(reader, SystemClock()), writer)

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal; does nothing if the worker has ended."""
        with suppress(OSError):
            self._control.send(message(SEND, pid, number))

    async def ended(self, pid: int) -> int:
        """Wait for a worker's end and return its exit code, negative for a signal."""
        return await asyncio.shield(self._ends[pid])

    def _read(self) -> None:
        try:
            answer = self._control.recv(MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        match answer.split():
            case [word, pid] if word == STARTED:
                self._ends[int(pid)] = self._loop.create_future()
                self._settle(self._starting.popleft(), int(pid))
            case [word, errno] if word == NOT_STARTED:
                self._fail(OSError(int(errno), "no process"))
            case [word, pid, code] if word == ENDED:
                self._settle(self._ends[int(pid)], int(code))
            case _:
                self._loop.remove_reader(self._control)
                while self._starting:
                    self._fail(OSError("the template is gone"))
                for end in self._ends.values():
                    self._settle(end, -signal.SIGTERM)
                self._gone()

    def _fail(self, error: OSError) -> None:
        started = self._starting.popleft()
        if not started.done():
            started.set_exception(error)

    @staticmethod
    def _settle(future: asyncio.Future[int], number: int) -> None:
        if not future.done():
            future.set_result(number)


class ChildProcess(WorkerProcess):
    """A process of its own, which ends when this one does: it watches the socket between them."""

    def __init__(
        self, pid: int, workers: Workers, signs: SignsOfLife, writer: asyncio.StreamWriter
    ) -> None:
        self._pid = pid
        self._workers = workers
        self._signs = signs
        self._writer = writer

    @property
    @override
    def pid(self) -> int:
        return self._pid

    @property
    @override
    def is_served(self) -> bool:
        return self._signs.is_served

    @override
    async def started(self) -> bool:
        return await self._signs.started()

    @override
    async def silent(self) -> bool:
        return await self._signs.ceased()

    @override
    async def ended(self) -> int:
        code = await self._workers.ended(self._pid)
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        return code

    @override
    def send(self, number: signal.Signals) -> None:
        self._workers.send(self._pid, number)
