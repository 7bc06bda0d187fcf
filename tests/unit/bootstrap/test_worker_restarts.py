"""A worker that ends is started again: when, and what its successor is told."""

from __future__ import annotations

import signal

import pytest

from adapters.metrics.worker_end import WorkerEnd
from bootstrap.workers.worker_config import RestartHistory, end_of
from tests.unit.bootstrap.supervisor_scene import Scene, serving


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
