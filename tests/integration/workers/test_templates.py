"""The processes that workers are forked from end or hang, and the workers go on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.service_process import ServiceProcess
from tests.support.steady_gets import steady_gets
from tests.support.waiting import until
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from tests.support.host import Host

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="child processes are listed in /proc"
)

Settings = dict[str, str]
STARTED = "workers.started"
REPLACED = "workers.template_replaced"


HUNG = (signal.SIGSTOP, "workers.template_hung", 0)
SPARE_KILLED = (signal.SIGKILL, "workers.template_ended", 1)


@pytest.mark.parametrize("loss", [HUNG, SPARE_KILLED])
async def test_a_template_is_replaced_and_no_request_of_the_workers_is_lost(
    two_workers: Settings, tmp_path: Path, host: Host, loss: tuple[signal.Signals, str, int]
) -> None:
    number, event, place = loss
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        workers, victim = workers_of(service), templates_of(service)[place]

        async def lose_one() -> None:
            os.kill(victim, number)
            await service.wait_for(REPLACED)

        assert await steady_gets(host, 300, lose_one) == {"value": 300}

        assert service.logged(event)[0]["pid"] == victim
        assert sorted(workers_of(service)) == sorted(workers)
        templates = templates_of(service)
        assert len(templates) == 2
        assert victim not in templates
        assert await service.stop() == 0
    assert not service.logged("worker.died")


async def test_each_generation_of_templates_forks_workers_and_hears_of_their_ends(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        for generation in range(1, 4):
            os.kill(templates_of(service)[0], signal.SIGKILL)
            await service.wait_for(REPLACED, count=generation)
            os.kill(workers_of(service)[0], signal.SIGKILL)
            await service.wait_for("worker.restarted", count=generation)
            assert await steady_gets(host, 20, lambda: None) == {"value": 20}
        assert await service.stop() == 0

    assert {r["exit_code"] for r in service.logged("worker.died")} == {128 + signal.SIGKILL}


async def test_a_worker_that_hangs_while_its_template_does_is_replaced_all_the_same(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        hung = workers_of(service)[1]
        for pid in (templates_of(service)[0], hung):
            os.kill(pid, signal.SIGSTOP)
        again = await service.wait_for("worker.restarted")
        assert await steady_gets(host, 20, lambda: None) == {"value": 20}
        assert await service.stop() == 0

    assert service.logged("worker.hung")[0]["pid"] == hung
    assert service.logged("worker.died")[0]["ended"] == "hung"
    assert again["pid"] != hung


async def test_without_any_template_the_workers_answer_what_they_have_and_all_ends(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        pids = workers_of(service)
        await host.get("KEY")
        for pid in templates_of(service):
            os.kill(pid, signal.SIGKILL)
        assert await service.exit_code() == 1

    assert len(service.logged("workers.failed")) == 1
    assert len(service.logged("service.stopped")) == len(pids)


async def test_a_stop_while_the_template_hangs_lets_the_workers_finish(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        await host.get("KEY")
        templates = templates_of(service)
        os.kill(templates[0], signal.SIGSTOP)
        service.ask_to_stop()
        assert await service.exit_code() == 0

    assert len(service.logged("service.stopped")) == 2
    await until(lambda: not any((Path("/proc") / str(pid)).exists() for pid in templates))
