"""The guardian as a process, with an agent that ends, hangs, or is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.projection.content import DirectoryRights, ProjectedContent
from adapters.projection.directory import ProjectedDirectory
from adapters.system.clock import SystemClock
from bootstrap.projection.guard import Guard
from tests.support.service_process import ROOT
from tests.support.waiting import until

LEASE = 1.0
CLOCK = SystemClock()

AGENT = """
import sys, time
from pathlib import Path
from adapters.projection.content import DirectoryRights, ProjectedContent
from adapters.projection.directory import ProjectedDirectory
from bootstrap.projection.guard import Guard
path = Path(sys.argv[1])
directory = ProjectedDirectory.make(path, DirectoryRights(), needs_memory=False)
assert directory.lock()
guard = Guard([path], float(sys.argv[2]))
guard.start()
directory.write([ProjectedContent("a", b"1", 0o400, (-1, -1))], 0.0)
print(guard._process.pid, file=sys.stderr, flush=True)
while True:
    guard.renew()
    time.sleep(0.1)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def agent(path: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start an agent that renews its lease; return it, and its guardian's process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(path), str(LEASE)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    with process.stderr:
        return process, int(process.stderr.readline())


def killed(process: subprocess.Popen[bytes]) -> float:
    process.kill()
    process.wait()
    return CLOCK.monotonic()


def is_wiped(path: Path) -> bool:
    return not list(path.iterdir())


def has_ended(pid: int) -> bool:
    """Say whether a process is gone, or a zombie that the machine's first process does not reap."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_a_killed_agents_files_go_at_the_end_of_the_lease(path: Path) -> None:
    process, guardian = agent(path)
    await asyncio.sleep(2 * LEASE)
    assert (path / "a").read_bytes() == b"1"

    at = killed(process)
    assert (path / "a").exists()
    await until(lambda: is_wiped(path))

    assert CLOCK.monotonic() - at < LEASE + 1
    await until(lambda: has_ended(guardian))


async def test_a_frozen_agents_files_go_although_it_has_the_lock(path: Path) -> None:
    process, _ = agent(path)
    process.send_signal(signal.SIGSTOP)
    at = CLOCK.monotonic()
    await until(lambda: is_wiped(path))

    assert CLOCK.monotonic() - at < LEASE + 1
    killed(process)


async def test_files_of_an_agent_that_took_over_stay(path: Path) -> None:
    process, guardian = agent(path)
    killed(process)
    successor = ProjectedDirectory.make(path, DirectoryRights(), needs_memory=False)
    assert successor.lock()
    successor.write([ProjectedContent("a", b"2", 0o400, (-1, -1))], 0.0)

    await until(lambda: has_ended(guardian))

    assert (path / "a").read_bytes() == b"2"
    successor.close()


async def test_a_guardian_that_is_asked_to_end_wipes_first(path: Path) -> None:
    process, guardian = agent(path)
    os.kill(guardian, signal.SIGTERM)
    await until(lambda: is_wiped(path))
    killed(process)


async def test_ctrl_c_and_hang_ups_do_not_end_a_guardian(path: Path) -> None:
    process, guardian = agent(path)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        os.kill(guardian, number)
    await asyncio.sleep(2 * LEASE)

    assert (path / "a").exists()
    assert not has_ended(guardian)
    killed(process)
    await until(lambda: is_wiped(path))


async def test_a_guardian_that_is_told_the_end_wipes_nothing(path: Path) -> None:
    directory = ProjectedDirectory.make(path, DirectoryRights(), needs_memory=False)
    guard = Guard([path], LEASE)
    guard.start()
    directory.write([ProjectedContent("a", b"1", 0o400, (-1, -1))], 0.0)
    assert guard.is_there

    guard.end()

    assert not guard.is_there
    assert (path / "a").exists()
    directory.close()
