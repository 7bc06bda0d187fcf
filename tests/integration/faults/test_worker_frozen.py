"""One of two workers freezes, as on a disk or a lock that never comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from adapters.system.clock import SystemClock
from bootstrap.workers.heartbeat import SILENT_SECONDS
from tests.integration.faults.load import ANSWERED, crowd, kinds, store_secrets
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.infisical_server import InfisicalServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="child processes are listed in /proc"
)

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
        ServiceProcess(both, tmp_path, ready="workers.started") as service,
        crowd(nats_url, subject_prefix, waits_seconds=2.0) as hosts,
    ):
        async with hosts.load(keys, ASKERS) as ends:
            frozen = workers_of(service)[0]
            os.kill(frozen, signal.SIGSTOP)
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
        ServiceProcess(both, tmp_path, ready="workers.started") as service,
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
