"""Processes, processors, the clock and the disk."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.soak.stage import LASTS_SECONDS
from bootstrap.workers.lifeline import SILENT_SECONDS
from tests.support.waiting import until
from tests.support.worker_processes import templates_of, workers_of

if TYPE_CHECKING:
    from benchmarks.soak.stage import Fault, Stage

_HOUR: Final = 3600


async def _worker_killed(stage: Stage) -> None:
    worker = workers_of(stage.service)[-1]
    os.kill(worker, signal.SIGKILL)
    # Until then nats-server goes on sending it requests.
    await until(lambda: worker not in workers_of(stage.service))


async def _worker_stopped(stage: Stage) -> None:
    os.kill(workers_of(stage.service)[0], signal.SIGSTOP)
    await asyncio.sleep(LASTS_SECONDS)


async def _worker_hangs(stage: Stage) -> None:
    # A template that hangs cannot say that its worker was stopped.
    for pid in (templates_of(stage.service)[0], workers_of(stage.service)[0]):
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(SILENT_SECONDS)


async def _template_hangs(stage: Stage) -> None:
    os.kill(templates_of(stage.service)[0], signal.SIGSTOP)
    await asyncio.sleep(SILENT_SECONDS)


async def _cpu_starved(_stage: Stage) -> None:
    busy = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        await asyncio.sleep(LASTS_SECONDS)
    finally:
        for process in busy:
            process.kill()
            await process.wait()


async def _clock_forward(stage: Stage) -> None:
    stage.clock.jump(_HOUR)
    await asyncio.sleep(LASTS_SECONDS)
    stage.clock.jump(0)


async def _clock_back(stage: Stage) -> None:
    stage.clock.jump(-_HOUR)
    await asyncio.sleep(LASTS_SECONDS)
    stage.clock.jump(0)


async def _disk_full(stage: Stage) -> None:
    """Take the room that is left beside the audit file, to the last byte."""
    filler = stage.audit_folder / "filler"
    with filler.open("wb") as file:
        free = os.statvfs(stage.audit_folder)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
    await asyncio.sleep(LASTS_SECONDS)
    filler.unlink()


MACHINE_FAULTS: Final[dict[str, Fault]] = {
    "worker killed": _worker_killed,
    "worker stopped": _worker_stopped,
    "worker hangs, and its template": _worker_hangs,
    "template of workers hangs": _template_hangs,
    "processors starved": _cpu_starved,
    "clock an hour ahead": _clock_forward,
    "clock an hour back": _clock_back,
    "disk of the audit file full": _disk_full,
}
