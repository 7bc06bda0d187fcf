"""Worker processes as the supervisor sees them, and the real ones."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

import bootstrap
from adapters.system.clock import SystemClock
from bootstrap.environment import without_credentials
from bootstrap.workers.heartbeat import SignsOfLife

if TYPE_CHECKING:
    import signal
    from asyncio.subprocess import Process

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


class ChildProcess(WorkerProcess):
    """A process of its own, which ends when this one does: it watches the socket between them."""

    def __init__(self, process: Process, signs: SignsOfLife, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._signs = signs
        self._writer = writer

    @property
    @override
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    @override
    def is_served(self) -> bool:
        """Whether hosts would be answered, as it last said."""
        return self._signs.is_served

    @override
    async def started(self) -> bool:
        """Wait until it takes requests; False if it ended or fell silent instead."""
        return await self._signs.started()

    @override
    async def silent(self) -> bool:
        """Wait until it gives no more signs of life; False if it ended instead."""
        return await self._signs.ceased()

    @override
    async def ended(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""
        code = await self._process.wait()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        return code

    @override
    def send(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


async def start_child(number: int, handover_line: bytes) -> ChildProcess:
    """Start a worker and hand it what it begins with, by a descriptor and by nothing else."""
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            # Without -P whatever lies in the working folder would be imported first.
            *(sys.executable, "-P", "-m", "bootstrap.workers.worker"),
            *(str(number), str(theirs.fileno())),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=without_credentials(os.environ) | {"PYTHONPATH": python_path()},
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
    return ChildProcess(process, SignsOfLife(reader, SystemClock()), writer)


def python_path() -> str:
    """Return where modules are found, with this very package first: it need not be installed."""
    root = str(Path(bootstrap.__file__).parents[1])
    return os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
