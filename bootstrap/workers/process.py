"""Worker processes as the supervisor sees them, and the real ones."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from typing_extensions import override

import bootstrap
from adapters.system.clock import SystemClock
from bootstrap.workers.heartbeat import SILENT_SECONDS, fell_silent

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from bootstrap.workers.former_lives import FormerLives
    from ports.clock import Clock

STARTED = b"started\n"
"""What a worker sends once it takes requests; from then on it gives signs of life."""

_log = structlog.get_logger()


class WorkerProcess(Protocol):
    """One life of one worker."""

    @property
    def pid(self) -> int: ...

    async def started(self) -> bool:
        """Wait until it takes requests; False if it ended instead."""
        ...

    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if it has ended."""
        ...


class StartWorker(Protocol):
    """Starts a worker in the place of those that were there before it."""

    async def __call__(self, former: FormerLives) -> WorkerProcess: ...


class ChildProcess(WorkerProcess):
    """A process of its own, which ends when this one does: it watches the socket between them.

    Once it has started, it is killed when it gives no sign of life for 12 seconds, unless it was
    told to end: what hangs takes requests that another worker would answer.
    """

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._watching: asyncio.Task[None] | None = None

    @property
    @override
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @override
    async def started(self) -> bool:
        """Wait until it takes requests; False if it ended instead."""
        with suppress(ConnectionError):
            if await self._reader.readline() == STARTED:
                self._watching = asyncio.create_task(self._watch())
                return True
        return False

    @override
    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""
        code = await self._process.wait()
        self._watch_no_more()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        return code

    @override
    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if it has ended."""
        if number != signal.SIGHUP:
            self._watch_no_more()
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _watch(self) -> None:
        if await fell_silent(self._reader, self._clock):
            _log.error("worker.silent", pid=self.pid, seconds=SILENT_SECONDS)
            self.send(signal.SIGKILL)

    def _watch_no_more(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None and watching is not asyncio.current_task():
            watching.cancel()


async def start_child(number: int, handover_line: bytes) -> ChildProcess:
    """Start a worker and hand it what it begins with."""
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            # Without -P whatever lies in the working folder would be imported first.
            *(sys.executable, "-P", "-m", "bootstrap.workers.worker"),
            *(str(number), str(theirs.fileno())),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=os.environ | {"PYTHONPATH": _python_path()},
            # Ctrl-C is for the supervisor, which stops its workers in order.
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.write(handover_line)
    return ChildProcess(process, reader, writer, SystemClock())


def _python_path() -> str:
    """Return where modules are found, with this very package first: it need not be installed."""
    root = str(Path(bootstrap.__file__).parents[1])
    return os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
