"""Signals in the first moments of a start."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.environments import nats_kv_environment

if TYPE_CHECKING:
    from asyncio.subprocess import Process

COMMAND = Path(sys.executable).with_name("wasmcloud-secrets")
_HUP = 1 << (signal.SIGHUP - 1)


def ignores_hangups(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(line.split()[1], 16) & _HUP)


async def start(
    nats_url: str, prefix: str, folder: Path, program: tuple[str | Path, ...] = (COMMAND, "serve")
) -> Process:
    """Start the installed command, and return as soon as it has any code of its own running."""
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=folder,
        env=nats_kv_environment(folder)
        | {"NATS_URL": nats_url, "NATS_SUBJECT_PREFIX": prefix, "NATS_KV_BUCKET": prefix},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(10):
        while not ignores_hangups(process.pid):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.001)
    return process


async def until_ready(process: Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while line := await process.stdout.readline():
            if b"service.ready" in line:
                return
    raise AssertionError("it ended before it was ready")


@pytest.mark.parametrize(
    "program", [(COMMAND, "serve"), (sys.executable, "-m", "bootstrap.main")], ids=str
)
async def test_hangups_all_through_a_start_do_not_end_it(
    nats_url: str, subject_prefix: str, tmp_path: Path, program: tuple[str | Path, ...]
) -> None:
    process = await start(nats_url, subject_prefix, tmp_path, program)
    await hang_up_until_ready(process)


async def test_with_hangups_ignored_by_what_starts_it_not_even_python_is_ended(
    nats_url: str, subject_prefix: str, tmp_path: Path
) -> None:
    """A program inherits which signals are ignored: `trap '' HUP` of a shell, nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = await start(nats_url, subject_prefix, tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    await hang_up_until_ready(process)


async def hang_up_until_ready(process: Process) -> None:
    ready = asyncio.create_task(until_ready(process))
    try:
        while not ready.done():
            process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.01)
        await ready
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize("command", ["relay", "project"])
async def test_hangups_leave_other_commands_that_go_on_to_say_what_they_lack(
    nats_url: str, subject_prefix: str, tmp_path: Path, command: str
) -> None:
    program = (COMMAND, command, *(("absent.yaml",) if command == "project" else ()))
    process = await start(nats_url, subject_prefix, tmp_path, program)
    while process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.01)

    assert process.returncode == 2


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.4])
async def test_a_stop_in_the_middle_of_a_start_is_heeded(
    nats_url: str, subject_prefix: str, tmp_path: Path, seconds: float
) -> None:
    process = await start(nats_url, subject_prefix, tmp_path)
    await asyncio.sleep(seconds)
    os.kill(process.pid, signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await process.wait() == 0
