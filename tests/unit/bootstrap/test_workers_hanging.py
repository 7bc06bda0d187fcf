"""What the supervisor does about a worker that gives no sign of life."""

from __future__ import annotations

import signal

from adapters.metrics.worker_end import WorkerEnd
from tests.unit.bootstrap.supervisor_scene import STOP_SECONDS, Scene, serving


async def test_one_that_hangs_is_killed_told_of_and_started_again() -> None:
    async with serving() as scene:
        scene.workers[1].hang()
        await scene.settle()
        assert scene.workers[1].signals == [signal.SIGKILL]
        assert scene.workers[0].signals == []
        await scene.after(0.5)
        scene.workers[2].serve()
        await scene.settle()

        hung, died = scene.events("worker.hung")[0], scene.events("worker.died")[0]
        assert (hung["worker"], hung["pid"], hung["level"]) == (1, 101, "error")
        assert "SIGSTOP" in hung["advice"]
        assert (died["exit_code"], died["ended"], died["again_in_seconds"]) == (137, "hung", 0.5)
        assert scene.workers[2].former.ends == {WorkerEnd.HUNG: 1}
        assert len(scene.events("worker.restarted")) == 1


async def test_what_the_system_kills_is_not_counted_as_hung() -> None:
    async with serving() as scene:
        scene.workers[0].end(-signal.SIGKILL)
        await scene.settle()
        await scene.after(0.5)

        assert scene.workers[2].former.ends == {WorkerEnd.KILLED: 1}
        assert not scene.events("worker.hung")


async def test_successors_that_hang_are_tried_again_later_and_later() -> None:
    async with serving() as scene:
        for pause in (0.5, 1, 2, 4):
            scene.workers[-1].hang()
            await scene.settle()
            started = len(scene.workers)
            await scene.after(pause - 0.01)
            assert len(scene.workers) == started
            await scene.after(0.01)
            assert len(scene.workers) == started + 1

        assert scene.workers[-1].former.ends == {WorkerEnd.HUNG: 4}


async def test_one_that_hangs_while_it_starts_is_started_again_and_stops_nobody() -> None:
    scene = Scene()
    await scene.settle()
    scene.workers[0].serve()
    scene.workers[1].hang()
    await scene.settle()
    await scene.after(0.5)
    assert not scene.events("workers.started")
    scene.workers[2].serve()
    await scene.settle()

    assert len(scene.events("workers.started")) == 1
    assert scene.workers[0].signals == []
    scene.supervisor.stop()
    assert await scene.running == 0


async def test_one_that_falls_silent_once_told_to_stop_has_all_its_time() -> None:
    async with serving() as scene:
        scene.workers[0].obedient = False
        scene.supervisor.stop()
        await scene.settle()
        scene.workers[0].hang()
        await scene.settle()
        await scene.after(STOP_SECONDS - 1)
        assert scene.workers[0].signals == [signal.SIGTERM]
        scene.workers[0].end(0)

        assert await scene.running == 0
        assert not scene.events("worker.hung")
