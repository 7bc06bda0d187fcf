"""Worker processes as the supervisor sees them, and the real ones."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from bootstrap.workers.heartbeat import SignsOfLife
    from bootstrap.workers.restart_history import RestartHistory


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


class StartWorker(Protocol):
    """Starts a worker in the place of those that were there before it."""

    async def __call__(self, history: RestartHistory) -> WorkerProcess: ...


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
