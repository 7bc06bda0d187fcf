"""What the supervisor makes of workers whose hosts would not be answered."""

from __future__ import annotations

import signal

from adapters.metrics.worker_end import WorkerEnd
from bootstrap.workers.served import LOOK_SECONDS, UNSERVED_SECONDS
from tests.unit.bootstrap.supervisor_scene import Scene, serving


async def pass_time(scene: Scene, seconds: float) -> None:
    for _ in range(int(seconds / LOOK_SECONDS)):
        await scene.after(LOOK_SECONDS)


async def test_one_that_is_not_served_while_another_is_is_replaced() -> None:
    async with serving() as scene:
        scene.workers[1].is_served = False
        await pass_time(scene, UNSERVED_SECONDS)
        assert not scene.workers[1].signals
        await pass_time(scene, 2)

        assert scene.workers[1].signals == [signal.SIGTERM]
        assert scene.workers[0].signals == []
        assert scene.workers[2].former.ends == {WorkerEnd.UNSERVED: 1}
        (died,) = scene.events("worker.died")
        assert (died["worker"], died["ended"]) == (1, "unserved")


async def test_where_none_is_served_the_cause_lies_outside_and_none_is_replaced() -> None:
    async with serving(3) as scene:
        for worker in scene.workers:
            worker.is_served = False
        await pass_time(scene, UNSERVED_SECONDS * 3)

        assert [worker.signals for worker in scene.workers] == [[]] * 3
        assert [r["worker"] for r in scene.events("worker.not_served")] == [0, 1, 2]
        assert scene.statuses == ["Of 3 workers, 0 would be asked by hosts; see the log"]


async def test_one_that_is_served_again_is_left_alone_and_its_time_begins_anew() -> None:
    async with serving() as scene:
        for _ in range(3):
            scene.workers[0].is_served = False
            await pass_time(scene, UNSERVED_SECONDS - 2)
            scene.workers[0].is_served = True
            await pass_time(scene, 1)

        assert not scene.workers[0].signals
        assert len(scene.events("worker.not_served")) == 3
        assert len(scene.events("worker.served_again")) == 3
        assert scene.statuses[-1] == "All workers take requests"


async def test_one_that_does_not_heed_the_signal_is_told_once() -> None:
    async with serving() as scene:
        scene.workers[1].obedient = False
        scene.workers[1].is_served = False
        await pass_time(scene, UNSERVED_SECONDS * 3)

        assert scene.workers[1].signals == [signal.SIGTERM]
        scene.workers[1].end(0)
        await scene.settle()
        await pass_time(scene, 1)
        assert scene.workers[2].former.ends == {WorkerEnd.UNSERVED: 1}
