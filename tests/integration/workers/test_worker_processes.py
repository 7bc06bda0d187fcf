"""WORKERS=2 as real processes: sharing keys and requests, dying, being reloaded."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from ports.transport import ChannelError
from tests.integration.workers.worker_stage import STARTED, Settings, requests_of, shown_to_others
from tests.support.environments import new_xkey_seed
from tests.support.infisical_model import CLIENT_SECRET as MODEL_SECRET
from tests.support.seeds import shows_xkey_seed
from tests.support.service_process import ServiceProcess, run_to_its_end
from tests.support.waiting import until
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host


async def test_two_workers_answer_with_one_key_and_say_who_they_are(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        await until(lambda: len(service.logged("secret_request")) >= 41)
        assert await service.stop() == 0

    assert requests_of(service, 0)
    assert requests_of(service, 1)
    ready = service.logged("service.ready")
    assert sorted(record["worker"] for record in ready) == [0, 1]
    assert len({record["server_xkey"] for record in ready}) == 1
    assert all("worker" in r for r in service.records if r["event"].startswith("nats."))
    assert service.logged("workers.stopped")[0]["exit_code"] == 0


async def test_a_generated_key_is_the_same_for_all_workers(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    settings = two_workers | {"SERVER_XKEY_SEED_FILE": ""}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        await asyncio.gather(*(host.get("KEY") for _ in range(20)))

    assert len(service.logged("server_xkey.generated")) == 1
    assert len({record["server_xkey"] for record in service.logged("service.ready")}) == 1


async def test_no_seed_stands_in_a_worker_s_command_line_or_environment(
    two_workers: Settings, tmp_path: Path
) -> None:
    seed = new_xkey_seed()
    settings = two_workers | {
        "SERVER_XKEY_SEED_FILE": "",
        "server_xkey_seed": seed,
        "SERVER_XKEY_RETIRED_SEEDS": new_xkey_seed(),
        "CI_TOKEN": "canary-of-another",
    }

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        workers = [*templates_of(service), *workers_of(service)]
        of_workers = b"".join(map(shown_to_others, workers))
        of_supervisor = shown_to_others(service._started.pid)

    assert len(workers) == 4
    assert b"bootstrap.main" in of_workers
    assert b"bootstrap.main" in of_supervisor
    for shown in (of_workers, of_supervisor):
        assert not shows_xkey_seed(shown.decode("utf-8", "replace"))
        assert MODEL_SECRET.encode() not in shown
    assert b"canary" not in of_workers


async def test_a_killed_worker_takes_only_its_own_requests_along_and_is_started_again(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    answered = failed = 0
    stop = asyncio.Event()

    async def load() -> None:
        nonlocal answered, failed
        while not stop.is_set():
            try:
                await host.get("KEY")
                answered += 1
            except ChannelError:
                failed += 1

    host.client._timeout = 2
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        loaders = [asyncio.create_task(load()) for _ in range(4)]
        await until(lambda: answered > 50)
        victim = workers_of(service)[0]
        os.kill(victim, signal.SIGKILL)
        record = await service.wait_for("worker.restarted")
        before = answered
        await until(lambda: answered > before + 50)
        await until(lambda: len(requests_of(service, record["worker"])) > 0)
        stop.set()
        await asyncio.gather(*loaders)

        assert await service.stop() == 0

    died = service.logged("worker.died")
    assert [(r["worker"], r["exit_code"]) for r in died] == [(record["worker"], 137)]
    # Each of the four has one request in flight, and what was in flight is all that may be lost.
    assert failed <= 4
    assert record["pid"] != victim


async def test_a_hangup_reaches_every_worker(two_workers: Settings, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nissuers: {}\ngrants: []\n")
    settings = two_workers | {"ACCESS_POLICY_FILE": str(policy)}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        service.signal(signal.SIGHUP)
        await service.wait_for("access_policy.unchanged", count=2)
        assert await service.stop() == 0

    reread = service.logged("access_policy.unchanged")
    assert sorted(record["worker"] for record in reread) == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"MAX_IN_FLIGHT": "many"}, 2, "MAX_IN_FLIGHT"),
        ({"WORKERS": "0"}, 2, "  - WORKERS must be at least 1."),
        ({"NATS_URL": "nats://127.0.0.1:1"}, 1, "Failed to connect to NATS"),
    ],
)
async def test_a_mistake_ends_it_once_and_for_all(
    two_workers: Settings, tmp_path: Path, wrong: Settings, code: int, said: str
) -> None:
    ended, service = await run_to_its_end(two_workers | wrong, tmp_path)

    assert ended == code
    assert said in service.output
    assert len(service.logged("service.failed")) <= 2
    assert not service.logged("worker.restarted")
    assert "canary" not in service.output


async def test_one_worker_is_the_process_itself(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers | {"WORKERS": "1"}, tmp_path) as service:
        await host.get("KEY")
        assert templates_of(service) == []

    assert all("worker" not in record for record in service.records)
    assert not service.logged(STARTED)
