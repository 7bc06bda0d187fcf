"""What the supervisor does about workers that start, die, fail and are told to stop."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from adapters.metrics.catalogue import WorkerEnd
from adapters.telemetry.log_setup import configure_logging
from bootstrap.workers.backoff import Backoff
from bootstrap.workers.process import WorkerProcess
from bootstrap.workers.restart_history import RestartHistory, end_of
from bootstrap.workers.supervisor import Supervisor
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        for _ in range(20):
            await asyncio.sleep(0)

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


async def test_every_number_gets_one_worker_and_the_start_is_told_once() -> None:
    async with serving(3) as scene:
        assert [worker.number for worker in scene.workers] == [0, 1, 2]
        assert [record["workers"] for record in scene.events("workers.started")] == [3]


async def test_told_to_stop_it_tells_every_worker_and_waits_for_them() -> None:
    async with serving() as scene:
        for worker in scene.workers:
            worker.obedient = False
        scene.supervisor.stop()
        await scene.settle()
        assert [worker.signals for worker in scene.workers] == [[signal.SIGTERM]] * 2
        scene.workers[0].end(0)
        await scene.settle()
        assert not scene.running.done()
        scene.workers[1].end(0)

        assert await scene.running == 0
        assert scene.events("workers.stopped")[0]["exit_code"] == 0


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 1), 1), ((2, 1), 2), ((1, -signal.SIGSEGV), 128 + signal.SIGSEGV)]
)
async def test_the_worst_exit_code_counts(codes: tuple[int, int], worst: int) -> None:
    async with serving() as scene:
        for worker in scene.workers:
            worker.obedient = False
        scene.supervisor.stop()
        await scene.settle()
        for worker, code in zip(scene.workers, codes, strict=True):
            worker.end(code)

        assert await scene.running == worst


async def test_a_worker_that_does_not_stop_in_time_is_killed() -> None:
    async with serving() as scene:
        scene.workers[1].obedient = False
        scene.supervisor.stop()
        await scene.settle()
        await scene.after(STOP_SECONDS - 1)
        assert not scene.running.done()
        await scene.after(1)

        assert await scene.running == 128 + signal.SIGKILL
        assert scene.workers[1].signals == [signal.SIGTERM, signal.SIGKILL]


async def test_killing_waits_for_nobody() -> None:
    async with serving() as scene:
        for worker in scene.workers:
            worker.obedient = False
        scene.supervisor.stop()
        await scene.settle()
        scene.supervisor.kill()

        assert await scene.running == 128 + signal.SIGKILL


async def test_a_worker_that_dies_is_started_again_after_half_a_second() -> None:
    async with serving() as scene:
        scene.workers[1].end(-signal.SIGKILL)
        await scene.settle()
        await scene.after(0.49)
        assert len(scene.workers) == 2
        await scene.after(0.01)
        assert scene.workers[2].number == 1
        assert not scene.events("worker.restarted")
        scene.workers[2].serve()
        await scene.settle()

        died, again = scene.events("worker.died")[0], scene.events("worker.restarted")[0]
        assert (died["worker"], died["exit_code"], died["again_in_seconds"]) == (1, 137, 0.5)
        assert (again["worker"], again["pid"], again["deaths"]) == (1, 102, 1)
        assert len(scene.events("workers.started")) == 1
        assert not scene.running.done()


async def test_each_successor_is_told_how_often_and_how_its_predecessors_ended() -> None:
    async with serving() as scene:
        assert [worker.former for worker in scene.workers] == [RestartHistory(0), RestartHistory(1)]
        for code in (-signal.SIGKILL, 1, -signal.SIGKILL):
            scene.workers[-1].end(code)
            await scene.settle()
            await scene.after(10)

        told = [worker.former for worker in scene.workers[2:]]
        killed, failed = WorkerEnd.KILLED, WorkerEnd.FAILED
        assert [former.number for former in told] == [1, 1, 1]
        assert [former.ends for former in told] == [
            {killed: 1},
            {killed: 1, failed: 1},
            {killed: 2, failed: 1},
        ]
        assert [former.count for former in told] == [1, 2, 3]


@pytest.mark.parametrize(
    ("code", "end"),
    [
        (0, WorkerEnd.ENDED),
        (1, WorkerEnd.FAILED),
        (128 + signal.SIGKILL, WorkerEnd.KILLED),
        (128 + signal.SIGSEGV, WorkerEnd.SIGNALLED),
    ],
)
def test_the_way_of_an_end_is_told_by_its_exit_code(code: int, end: WorkerEnd) -> None:
    assert end_of(code) is end


async def test_even_one_that_ended_in_order_is_started_again_if_nobody_told_it_to() -> None:
    async with serving() as scene:
        scene.workers[0].end(0)
        await scene.settle()
        await scene.after(0.5)

        assert len(scene.workers) == 3


async def test_successors_that_cannot_start_are_tried_again_later_and_later() -> None:
    async with serving() as scene:
        scene.workers[0].end(1)
        await scene.settle()
        for pause in (0.5, 1, 2, 4, 8, 16, 30, 30):
            started = len(scene.workers)
            await scene.after(pause - 0.01)
            assert len(scene.workers) == started
            await scene.after(0.01)
            assert len(scene.workers) == started + 1
            scene.workers[-1].end(1)
            await scene.settle()

        assert not scene.workers[1].signals


async def test_after_a_minute_of_life_the_pause_is_short_again() -> None:
    async with serving() as scene:
        for lived in (1, 1, 60):
            scene.workers[-1].number = 0
            await scene.after(lived)
            scene.workers[-1].end(1)
            await scene.settle()
            await scene.after(30)
            scene.workers[-1].serve()
            await scene.settle()

        assert [r["again_in_seconds"] for r in scene.events("worker.died")] == [0.5, 1, 0.5]


@pytest.mark.parametrize(
    ("code", "exit_code", "look_at"),
    [
        (1, 1, "what its own records say"),
        (2, 2, "what its own records say"),
        (0, 1, "what its own records say"),
        # It had no chance to write any.
        (-9, 137, "want of memory"),
        (-11, 139, "it is a crash"),
    ],
)
async def test_one_that_ends_before_it_ever_served_stops_all_and_is_told_where_to_look(
    code: int, exit_code: int, look_at: str
) -> None:
    scene = Scene()
    await scene.settle()
    scene.workers[0].serve()
    await scene.settle()
    scene.workers[1].end(code)

    assert await scene.running == exit_code
    assert scene.workers[0].signals == [signal.SIGTERM]
    assert len(scene.workers) == 2
    advice = scene.events("worker.died")[0]["advice"]
    assert look_at in advice
    assert "start the service again" in advice


async def test_stopping_while_all_are_starting_is_no_failure() -> None:
    scene = Scene()
    await scene.settle()
    scene.supervisor.stop()

    assert await scene.running == 0


async def test_stopping_ends_the_wait_of_one_that_is_to_start_again() -> None:
    async with serving() as scene:
        scene.workers[0].end(1)
        await scene.settle()
        scene.supervisor.stop()

        assert await scene.running == 0
        assert len(scene.workers) == 2


async def test_stopped_before_anything_began_it_starts_nobody() -> None:
    scene = Scene()
    scene.supervisor.stop()

    assert await scene.running == 0
    assert scene.workers == []


async def test_one_that_is_born_into_the_stop_is_told_as_well() -> None:
    async with serving() as scene:
        scene.workers[0].end(1)
        await scene.settle()
        scene.clock.advance(0.5)
        scene.supervisor.stop()

        assert await scene.running == 0


async def test_a_process_that_cannot_be_made_is_tried_again() -> None:
    async with serving() as scene:
        scene.failures.append(BlockingIOError(11, "no process"))
        scene.workers[0].end(1)
        await scene.settle()
        await scene.after(0.5)
        assert scene.events("worker.not_started")[0]["errno"] == 11
        await scene.after(1)

        assert len(scene.workers) == 3
        assert scene.workers[2].former.ends == {WorkerEnd.FAILED: 1, WorkerEnd.NOT_STARTED: 1}


async def test_if_the_first_processes_cannot_be_made_it_fails() -> None:
    scene = Scene(1)
    scene.failures.append(BlockingIOError(11, "no process"))

    assert await scene.running == 1


async def test_a_bug_ends_everything_instead_of_leaving_a_worker_out() -> None:
    scene = Scene()
    await scene.all_serve()
    scene.workers[0]._ended.set_exception(ValueError("a bug"))

    with pytest.raises(ValueError, match="a bug"):
        await scene.running
    assert signal.SIGKILL in scene.workers[1].signals or signal.SIGTERM in scene.workers[1].signals


async def test_a_reload_reaches_who_serves_at_once_and_who_starts_when_it_is_there() -> None:
    scene = Scene()
    await scene.settle()
    scene.workers[0].serve()
    await scene.settle()
    scene.supervisor.reload()
    assert [worker.signals for worker in scene.workers] == [[signal.SIGHUP], []]
    scene.workers[1].serve()
    await scene.settle()

    assert scene.workers[1].signals == [signal.SIGHUP]
    scene.supervisor.stop()
    assert await scene.running == 0


def test_the_pauses_double_up_to_half_a_minute() -> None:
    backoff = Backoff()

    assert [backoff.after(59.9) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.after(60) == 0.5
