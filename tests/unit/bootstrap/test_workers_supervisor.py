"""Workers are started and stopped together, and hear of a reload."""

from __future__ import annotations

import signal

import pytest

from adapters.metrics.worker_end import WorkerEnd
from bootstrap.retrying import Backoff
from tests.unit.bootstrap.supervisor_scene import STOP_SECONDS, Scene, serving


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
