"""A supervisor over workers that live and die as a test says."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from adapters.telemetry.log_setup import configure_logging
from bootstrap.workers.process import WorkerProcess
from bootstrap.workers.supervisor import Supervisor
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bootstrap.workers.worker_config import RestartHistory


STOP_SECONDS = 20.0


class FakeWorker(WorkerProcess):
    """A process that does what the test says; SIGKILL always ends it, SIGTERM if `obedient`."""

    is_served = True

    def __init__(self, history: RestartHistory, pid: int) -> None:
        self.former = history
        self.number = history.number
        self._pid = pid
        self.signals: list[signal.Signals] = []
        self.obedient = True
        self._started: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._silent: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    @override
    def pid(self) -> int:
        return self._pid

    @override
    async def started(self) -> bool:
        return await asyncio.shield(self._started)

    @override
    async def silent(self) -> bool:
        return await asyncio.shield(self._silent)

    @override
    async def ended(self) -> int:
        return await asyncio.shield(self._ended)

    @override
    def send(self, number: signal.Signals) -> None:
        self.signals.append(number)
        if number is signal.SIGKILL:
            self.end(-signal.SIGKILL)
        elif number is signal.SIGTERM and self.obedient:
            self.end(0 if self._started.done() else -signal.SIGTERM)

    def serve(self) -> None:
        self._started.set_result(True)

    def hang(self) -> None:
        self.obedient = False
        if not self._started.done():
            self._started.set_result(False)
        self._silent.set_result(True)

    def end(self, code: int) -> None:
        if not self._silent.done():
            self._silent.set_result(False)
        if not self._started.done():
            self._started.set_result(False)
        if not self._ended.done():
            self._ended.set_result(code)


class Scene:
    """A supervisor of two, its clock, its workers in the order of their starts, and its log."""

    def __init__(self, count: int = 2) -> None:
        self.clock = FakeClock()
        self.workers: list[FakeWorker] = []
        self.failures: list[OSError] = []
        self.log = io.StringIO()
        configure_logging("debug", "json", self.log)
        self.statuses: list[str] = []
        self.supervisor = Supervisor(
            count, self._start, self.clock, STOP_SECONDS, status=self.statuses.append
        )
        self.running = asyncio.create_task(self.supervisor.run())

    async def _start(self, history: RestartHistory) -> FakeWorker:
        if self.failures:
            raise self.failures.pop()
        worker = FakeWorker(history, pid=100 + len(self.workers))
        self.workers.append(worker)
        return worker

    async def settle(self) -> None:
        await settle()

    async def all_serve(self) -> None:
        await self.settle()
        for worker in self.workers:
            worker.serve()
        await self.settle()

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()

    def events(self, name: str) -> list[dict[str, Any]]:
        records = map(json.loads, self.log.getvalue().splitlines())
        return [record for record in records if record["event"] == name]


@asynccontextmanager
async def serving(count: int = 2) -> AsyncIterator[Scene]:
    scene = Scene(count)
    await scene.all_serve()
    try:
        yield scene
    finally:
        scene.supervisor.kill()
        await asyncio.gather(scene.running, return_exceptions=True)
