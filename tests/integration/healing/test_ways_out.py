"""A replica that leaves beside another one takes no request along."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.environments import local_infisical_environment
from tests.support.host import Host, connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess
from tests.support.steady_gets import PAUSE_SECONDS, steady_gets
from tests.support.worker_processes import workers_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

REQUESTS = 1000


@pytest_asyncio.fixture
async def store() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        server.model.put("KEY", "value")
        yield server


@pytest.fixture
def settings(
    store: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> dict[str, str]:
    environment = local_infisical_environment(store, nats_url, subject_prefix, tmp_path)
    return environment | {"CACHE_TTL_SECONDS": "0"}


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix) as connected:
        yield connected


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_replica_that_is_told_to_stop_drains_and_none_of_a_thousand_is_lost(
    settings: dict[str, str], host: Host, tmp_path: Path, workers: str
) -> None:
    leaving = ServiceProcess(settings | {"WORKERS": workers}, tmp_path)
    async with ServiceProcess(settings, tmp_path) as staying:
        await leaving.start()
        await leaving.wait_for("workers.started" if workers == "2" else "service.ready")
        ends = await steady_gets(host, REQUESTS, leaving.ask_to_stop)

        assert ends == {"value": REQUESTS}
        assert await leaving.exit_code() == 0
        assert leaving.logged("secret_request")
        assert staying.logged("secret_request")
    assert not leaving.logged("nats.requests_cancelled")


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.25, 0.4])
async def test_a_replica_that_is_stopped_in_its_first_moments_costs_none(
    settings: dict[str, str], host: Host, tmp_path: Path, seconds: float
) -> None:
    async with ServiceProcess(settings, tmp_path):

        async def start_and_stop() -> None:
            process = ServiceProcess(settings, tmp_path)
            await process.start()
            await asyncio.sleep(seconds)
            process.ask_to_stop()
            assert await process.exit_code() in {0, -signal.SIGTERM}

        assert await steady_gets(host, 300, start_and_stop) == {"value": 300}


async def test_a_replica_that_is_stopped_the_moment_it_listens_costs_none(
    settings: dict[str, str], host: Host, tmp_path: Path
) -> None:
    async with ServiceProcess(settings, tmp_path):

        async def start_and_stop() -> None:
            process = ServiceProcess(settings, tmp_path, ready="nats.listening")
            await process.start()
            await process.wait_for("nats.listening")
            assert await process.stop() == 0

        assert await steady_gets(host, REQUESTS, start_and_stop) == {"value": REQUESTS}


async def test_a_worker_that_is_killed_takes_along_only_what_it_had_taken(
    settings: dict[str, str], store: InfisicalServer, host: Host, tmp_path: Path
) -> None:
    process = ServiceProcess(settings | {"WORKERS": "2"}, tmp_path, ready="workers.started")
    async with process:
        victim = workers_of(process)[-1]
        seconds = 0.05

        async def slowly(_call: object, _writer: object) -> None:
            await asyncio.sleep(seconds)

        store.wire = slowly
        ends = await steady_gets(host, REQUESTS, lambda: os.kill(victim, signal.SIGKILL))
        await process.wait_for("worker.restarted")

    lost = REQUESTS - ends["value"]
    assert ends.keys() <= {"value", "timeout"}
    # It holds half of what is under way, and the server notices at once that it is gone.
    assert lost <= 4 * seconds / PAUSE_SECONDS
