"""What workers do when they or their supervisor are told to stop, or are killed."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import OtherError
from ports.transport import ChannelError
from tests.integration.workers.worker_stage import STARTED, Settings, is_there
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until
from tests.support.worker_processes import workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer


async def test_stopping_answers_what_every_worker_has_in_flight(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    settings = two_workers | {"INFISICAL_READ_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        await host.client.server_xkey()
        # Requests for one secret share a call, so each worker has one; either may meet both.
        infisical.breaks.extend([Break.HANG] * 2)
        asked = [asyncio.create_task(host.get("KEY")) for _ in range(8)]
        await until(lambda: not infisical.breaks)
        service.signal(signal.SIGTERM)
        secrets = await asyncio.gather(*asked)
        code = await service.exit_code()

    assert [secret.value.reveal() for secret in secrets] == ["value"] * 8
    assert code == 0
    assert len(service.logged("service.stopped")) == 2


async def test_workers_told_to_stop_along_with_their_supervisor_still_answer(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    """A service manager may send its signal to every process of the service at once."""
    settings = two_workers | {"INFISICAL_READ_TIMEOUT_SECONDS": "2"}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        await host.client.server_xkey()
        infisical.breaks.extend([Break.HANG] * 2)
        asked = [asyncio.create_task(host.get("KEY")) for _ in range(4)]
        await until(lambda: not infisical.breaks)
        for pid in [service._started.pid, *workers_of(service)]:
            os.kill(pid, signal.SIGTERM)
        secrets = await asyncio.gather(*asked)
        code = await service.exit_code()

    assert len(secrets) == 4
    assert code == 0


async def test_a_second_signal_ends_all_of_them_at_once(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        await host.client.server_xkey()
        infisical.breaks.extend([Break.HANG] * 4)
        asked = [asyncio.create_task(host.get(f"KEY_{number}")) for number in range(4)]
        await until(lambda: not infisical.breaks)
        pids = workers_of(service)
        service.signal(signal.SIGINT)
        await service.wait_for("service.stopping")
        service.signal(signal.SIGINT)
        code = await service.exit_code()
        for task in asked:
            task.cancel()

    assert code == 128 + signal.SIGINT
    assert not any(map(is_there, pids))


async def test_workers_answer_and_end_when_their_supervisor_is_killed(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    settings = two_workers | {"INFISICAL_READ_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        pids = workers_of(service)
        await host.client.server_xkey()
        infisical.breaks.extend([Break.HANG] * 2)
        asked = [asyncio.create_task(host.get("KEY")) for _ in range(2)]
        await until(lambda: not infisical.breaks)
        service.signal(signal.SIGKILL)
        secrets = await asyncio.gather(*asked)
        async with asyncio.timeout(5):
            await until(lambda: not any(map(is_there, pids)))
        await service.exit_code()

    assert len(pids) == 2
    assert len(secrets) == 2


async def test_a_request_that_comes_while_all_stop_is_refused_or_unheard(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        await host.get("KEY")
        assert await service.stop() == 0

    with pytest.raises((ChannelError, OtherError)):
        await host.get("KEY")
