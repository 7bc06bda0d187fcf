"""Processes as the supervisor sees them: workers, and templates that these are forked from."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from adapters.system.clock import SystemClock
from bootstrap.workers.lifeline import SignsOfLife
from bootstrap.workers.template import (
    CONTINUED,
    ENDED,
    MAX_MESSAGE_BYTES,
    NOT_STARTED,
    SEND,
    STARTED,
    STOPPED,
    TemplateEnds,
    message,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class WorkerProcess(Protocol):
    """One life of one worker."""

    @property
    def pid(self) -> int: ...

    @property
    def is_served(self) -> bool:
        """Whether hosts would be answered, as it last said."""

    async def started(self) -> bool:
        """Wait until it takes requests; False if it ended or fell silent instead."""

    async def silent(self) -> bool:
        """Wait until it gives no more signs of life; False if it ended instead.

        To be called once `started` has returned.
        """

    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""

    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if it has ended."""


class ChildProcess(WorkerProcess):
    """A process of its own, which ends when this one does: it watches the socket between them."""

    def __init__(
        self,
        pid: int,
        send: Callable[[int], None],
        end: asyncio.Future[int],
        signs: SignsOfLife,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._pid = pid
        self._send = send
        self._end = end
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
        code = await asyncio.shield(self._end)
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        return code

    @override
    def send(self, number: signal.Signals) -> None:
        self._send(number)


class TemplateGoneError(OSError):
    """The template ended before it did what it was ordered."""


class TemplateProcess:
    """One template: orders go to it one by one, and answers come in the same order.

    Args:
        ends: its sockets and process id.
        forked: takes the id of each process that it forked.
        ended: takes the id and the exit code of each that ended.
        stopped: takes the id of each that a signal stopped, and whether it is stopped still.
    """

    def __init__(
        self,
        ends: TemplateEnds,
        forked: Callable[[TemplateProcess, int], None],
        ended: Callable[[int, int], None],
        stopped: Callable[[int, bool], None],
    ) -> None:
        self.pid = ends.pid
        self._orders = ends.orders
        self._life = ends.life
        self._forked = forked
        self._ended = ended
        self._stopped = stopped
        self._starting: deque[asyncio.Future[int]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._orders, self._read)

    async def fork(self, order: bytes, *given: socket.socket) -> int:
        """Have it start a process that has these descriptors, and return the process id.

        Raises:
            TemplateGoneError: the template ended instead.
            OSError: the system has no process for it.
        """
        with suppress(OSError):  # of one that ended; `close` says so in its turn
            socket.send_fds(self._orders, [message(order)], [end.fileno() for end in given])
        started: asyncio.Future[int] = self._loop.create_future()
        self._starting.append(started)
        return await started

    def send(self, pid: int, number: int) -> None:
        """Send a signal to a process that it forked; does nothing if that has ended."""
        with suppress(OSError):
            self._orders.send(message(SEND, pid, number))

    async def hangs(self) -> bool:
        """Wait until it gives no more signs of life; False if it ended instead."""
        reader, writer = await asyncio.open_connection(sock=self._life)
        try:
            return await SignsOfLife(reader, SystemClock()).ceased()
        finally:
            writer.close()

    def close(self) -> None:
        """Kill it, hanging or not, once all that it said is heard."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while self._read():
            pass
        self._loop.remove_reader(self._orders)
        self._orders.close()
        while self._starting:
            self._fail(TemplateGoneError(0, "the template is gone"))

    def _read(self) -> bool:
        """Take an answer; False if there is none."""
        try:
            answer = self._orders.recv(MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            answer = b""
        match answer.split():
            case [word, pid] if word == STARTED:
                self._forked(self, int(pid))
                started = self._starting.popleft()
                if not started.done():
                    started.set_result(int(pid))
            case [word, errno] if word == NOT_STARTED:
                self._fail(OSError(int(errno), "no process"))
            case [word, pid, code] if word == ENDED:
                self._ended(int(pid), int(code))
            case [word, pid] if word in {STOPPED, CONTINUED}:
                self._stopped(int(pid), word == STOPPED)
            case _:
                self._loop.remove_reader(self._orders)
                return False
        return True

    def _fail(self, error: OSError) -> None:
        started = self._starting.popleft()
        if not started.done():
            started.set_exception(error)
