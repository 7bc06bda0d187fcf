"""One of two workers freezes: a signal stops it, or a disk or a lock that never comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from adapters.system.clock import SystemClock
from bootstrap.workers.lifeline import SILENT_SECONDS
from bootstrap.workers.served import STOPPED_SECONDS
from tests.integration.faults.load import ANSWERED, crowd, kinds, store_secrets, until_more
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="child processes are listed in /proc"
)

STARTED = "workers.started"
ASKERS = 10
REPLACED_SECONDS = 10.0
_clock = SystemClock()


def restarts_of_hung(port: int, worker: int) -> str:
    """Return the count that a worker shows of its place."""
    series = f'wasmcloud_secrets_worker_restarts_total{{ended="hung",worker="{worker}"}} '
    with urlopen(f"http://127.0.0.1:{port + worker}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    (sample,) = [line for line in lines if line.startswith(series)]
    return str(sample.removeprefix(series))


@pytest.mark.parametrize("orphaned", [False, True])
async def test_workers_that_a_signal_stops_go_on_and_no_request_is_lost(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
    orphaned: bool,
) -> None:
    """By whichever process is their parent: a template, or the supervisor after its end."""
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings | {"WORKERS": "2"}, tmp_path, ready=STARTED) as service:
        workers = workers_of(service)
        if orphaned:
            os.kill(templates_of(service)[0], signal.SIGKILL)
            await service.wait_for("workers.template_replaced")
        async with hosts.load(keys, ASKERS) as ends:
            for stopped, count in (workers[:1], 1), (workers, 3):
                for pid in stopped:
                    os.kill(pid, signal.SIGSTOP)
                await service.wait_for("worker.stopped", count)
                await until_more(ends, 100)
        assert sorted(workers_of(service)) == sorted(workers)
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED}
    assert {record["pid"] for record in service.logged("worker.stopped")} == {*workers}
    assert hosts.each_got_one_reply


async def test_a_worker_that_is_soon_let_go_on_is_left_to_who_stopped_it(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings | {"WORKERS": "2"}, tmp_path, ready=STARTED) as service:
        for _ in range(20):
            for number in (signal.SIGSTOP, signal.SIGCONT):
                os.kill(workers_of(service)[0], number)
                await asyncio.sleep(STOPPED_SECONDS / 10)
        assert kinds(await hosts.rush(keys)) == {ANSWERED: len(keys)}
        assert await service.stop() == 0

    assert not service.logged("worker.stopped")


async def test_a_stop_of_the_service_ends_a_worker_that_a_signal_stopped(
    settings: dict[str, str], tmp_path: Path
) -> None:
    async with ServiceProcess(settings | {"WORKERS": "2"}, tmp_path, ready=STARTED) as service:
        os.kill(workers_of(service)[1], signal.SIGSTOP)
        assert await service.stop() == 0

    assert len(service.logged("service.stopped")) == 2


async def test_a_frozen_worker_is_replaced_and_the_other_answers_meanwhile(
    settings: dict[str, str],
    infisical: InfisicalServer,
    nats_url: str,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 50)
    port = neighbouring_ports()
    both = settings | {"WORKERS": "2", "ADMIN_ADDR": f"127.0.0.1:{port}"}

    async with (
        ServiceProcess(both, tmp_path, ready=STARTED) as service,
        crowd(nats_url, subject_prefix, waits_seconds=2.0) as hosts,
    ):
        async with hosts.load(keys, ASKERS) as ends:
            frozen = workers_of(service)[0]
            # Its template cannot say that it was only stopped.
            for pid in (templates_of(service)[0], frozen):
                os.kill(pid, signal.SIGSTOP)
            froze_at = _clock.monotonic()
            hung = await service.wait_for("worker.hung")
            again = await service.wait_for("worker.restarted")
            took = _clock.monotonic() - froze_at
            await asyncio.sleep(0.5)
        frozen_and_after = kinds(ends)
        after = await hosts.rush(keys)
        counted = await asyncio.to_thread(restarts_of_hung, port, again["worker"])
        assert await service.stop() == 0

    assert (hung["pid"], hung["worker"]) == (frozen, again["worker"])
    assert service.logged("worker.died")[0]["ended"] == "hung"
    assert took < REPLACED_SECONDS
    assert counted == "1.0"
    assert frozen_and_after.keys() == {ANSWERED, "timeout"}
    # None was sent to the frozen one twice as long as it was not noticed.
    assert frozen_and_after["timeout"] <= ASKERS * (SILENT_SECONDS / 2.0 + 1)
    assert kinds(after) == {ANSWERED: len(keys)}
    assert {r["worker"] for r in service.logged("secret_request")[-len(keys) :]} == {0, 1}
    assert set(hosts.replies.values()) == {1}


async def test_workers_outlive_a_supervisor_that_was_stopped_itself(
    settings: dict[str, str],
    infisical: InfisicalServer,
    nats_url: str,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 20)
    both = settings | {"WORKERS": "2"}

    async with (
        ServiceProcess(both, tmp_path, ready=STARTED) as service,
        crowd(nats_url, subject_prefix, waits_seconds=2.0) as hosts,
    ):
        all_of_them = [service.pid, *templates_of(service), *workers_of(service)]
        for stopped in (all_of_them[:1], all_of_them):
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(SILENT_SECONDS + 1)
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(SILENT_SECONDS / 2)
        ends = await hosts.rush(keys)
        assert await service.stop() == 0

    assert kinds(ends) == {ANSWERED: len(keys)}
    assert not service.logged("worker.hung")
    assert not service.logged("worker.died")
