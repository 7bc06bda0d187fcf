"""WORKERS=2 as real processes: sharing, dying, being told to stop, and starting wrongly."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from domain.model.errors import OtherError
from ports.transport import ChannelError
from tests.support.environments import new_xkey_seed
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_model import CLIENT_SECRET as MODEL_SECRET
from tests.support.infisical_server import Break
from tests.support.seeds import shows_xkey_seed
from tests.support.service_process import ServiceProcess, run_to_its_end
from tests.support.waiting import until
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]
STARTED = "workers.started"


def requests_of(service: ServiceProcess, worker: int) -> list[dict[str, Any]]:
    return [r for r in service.logged("secret_request") if r["worker"] == worker]


def is_there(pid: int) -> bool:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(") ")[2][0] != "Z"


def shown_to_others(pid: int) -> bytes:
    folder = Path("/proc") / str(pid)
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


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


async def test_a_policy_file_with_a_mistake_ends_it_with_code_2(
    two_workers: Settings, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 7\n")

    code, service = await run_to_its_end(
        two_workers | {"ACCESS_POLICY_FILE": str(policy)}, tmp_path
    )

    assert code == 2
    assert "ACCESS_POLICY_FILE line 1" in service.output


def pages_of(port: int) -> dict[str, int]:
    pages = {}
    for name in ("livez", "readyz", "metrics"):
        with urlopen(f"http://127.0.0.1:{port}/{name}", timeout=5) as page:
            pages[name] = page.status
    return pages


async def test_each_worker_has_an_admin_port_of_its_own(
    two_workers: Settings, tmp_path: Path
) -> None:
    port = neighbouring_ports()
    settings = two_workers | {"ADMIN_ADDR": f"127.0.0.1:{port}"}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        await service.wait_for("service.ready", count=2)
        pages = [await asyncio.to_thread(pages_of, port + number) for number in (0, 1)]

    assert pages == [{"livez": 200, "readyz": 200, "metrics": 200}] * 2


def restarts_at(port: int) -> dict[str, float]:
    """Return the counts of one worker's restarts that are not 0, by their labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    name = "wasmcloud_secrets_worker_restarts_total"
    samples = [line.removeprefix(name).split() for line in lines if line.startswith(name)]
    return {labels: float(count) for labels, count in samples if float(count)}


async def test_a_worker_shows_how_often_and_why_its_place_was_taken_anew(
    two_workers: Settings, tmp_path: Path
) -> None:
    port = neighbouring_ports()
    settings = two_workers | {"ADMIN_ADDR": f"127.0.0.1:{port}"}

    async with ServiceProcess(settings, tmp_path, ready=STARTED) as service:
        os.kill(workers_of(service)[1], signal.SIGKILL)
        worker = (await service.wait_for("worker.restarted"))["worker"]
        shown = [await asyncio.to_thread(restarts_at, port + number) for number in (0, 1)]
        assert await service.stop() == 0

    expected: list[dict[str, float]] = [{}, {}]
    expected[worker] = {f'{{ended="killed",worker="{worker}"}}': 1.0}
    assert shown == expected


async def test_one_worker_is_the_process_itself(
    two_workers: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(two_workers | {"WORKERS": "1"}, tmp_path) as service:
        await host.get("KEY")
        assert templates_of(service) == []

    assert all("worker" not in record for record in service.records)
    assert not service.logged(STARTED)


async def test_what_a_folder_holds_is_not_imported(two_workers: Settings, tmp_path: Path) -> None:
    (tmp_path / "bootstrap").mkdir()
    (tmp_path / "bootstrap" / "__init__.py").write_text("raise SystemExit(77)\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "json.py").write_text("raise SystemExit(77)\n")

    process = ServiceProcess(two_workers, elsewhere, ready=STARTED)
    process._environment["PYTHONSAFEPATH"] = "1"
    async with process as service:
        assert await service.stop() == 0


async def test_a_request_that_comes_while_all_stop_is_refused_or_unheard(
    two_workers: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(two_workers, tmp_path, ready=STARTED) as service:
        await host.get("KEY")
        assert await service.stop() == 0

    with pytest.raises((ChannelError, OtherError)):
        await host.get("KEY")
