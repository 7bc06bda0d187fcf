"""A store's background task runs, fails, is seen to fail, and is started again."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bootstrap.retrying import HEALED_SECONDS, SupervisedTask
from tests.fakes.clock import FakeClock
from tests.support.settling import settle


class Task:
    """Runs until the test ends it, as it says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.starts: list[float] = []
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.supervised = SupervisedTask(self.run, "A store", self.clock)

    async def run(self) -> None:
        self.starts.append(self.clock.monotonic())
        self.end = asyncio.get_running_loop().create_future()
        await self.end

    async def settle(self) -> None:
        await settle()


async def test_a_task_that_runs_is_no_problem() -> None:
    task = Task()
    task.supervised.start()
    await task.settle()

    assert len(task.starts) == 1
    assert task.supervised.problem() is None
    await task.supervised.aclose()
    assert task.end.cancelled()


@pytest.mark.parametrize("failure", [ValueError("canary-82ab"), None])
async def test_a_task_that_ends_is_a_problem_and_is_started_again_later_and_later(
    failure: Exception | None,
) -> None:
    task = Task()
    task.supervised.start()
    await task.settle()

    with capture_logs() as log:
        for pause in (0.5, 1.0, 2.0):
            if failure is None:
                task.end.set_result(None)
            else:
                task.end.set_exception(failure)
            await task.settle()
            assert "A store ended" in (task.supervised.problem() or "")
            task.clock.advance(pause - 0.1)
            await task.settle()
            before = len(task.starts)
            task.clock.advance(0.1)
            await task.settle()
            assert len(task.starts) == before + 1

    assert [entry["event"] for entry in log] == ["store.task_ended"] * 3
    assert all((entry["frames"] is None) == (failure is None) for entry in log)
    assert "canary" not in f"{log}{task.supervised.problem()}"
    await task.supervised.aclose()


async def test_a_task_that_goes_on_after_a_failure_is_no_problem_any_more() -> None:
    task = Task()
    task.supervised.start()
    await task.settle()
    task.end.set_exception(ValueError())
    await task.settle()
    task.clock.advance(0.5)
    await task.settle()
    assert task.supervised.problem() is not None

    task.clock.advance(HEALED_SECONDS)

    assert task.supervised.problem() is None
    await task.supervised.aclose()


async def test_without_a_task_there_is_nothing_to_run() -> None:
    supervised = SupervisedTask(None, "A store", FakeClock())
    supervised.start()

    assert not supervised.exists
    assert supervised.problem() is None
    await supervised.aclose()
