"""Mistakes end all workers once; each has an admin port of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.integration.workers.worker_stage import STARTED, Settings
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess, run_to_its_end
from tests.support.worker_processes import workers_of

if TYPE_CHECKING:
    from pathlib import Path


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
