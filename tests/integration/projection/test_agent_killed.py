"""What becomes of the files when the agent, its guardian or its disk fail."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from adapters.system.clock import SystemClock
from tests.support.command_line import CommandLine
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.projection.conftest import Projection
    from tests.support.kv_secrets import KvSecrets

CLOCK = SystemClock()
LEASE = 3.0
BOTH = {"db-password": b"s3cr3t-db-1", "token": b"\xff\x00s3cr3t\n"}


async def test_files_of_a_killed_agent_go_at_the_end_of_its_lease(projection: Projection) -> None:
    agent = projection.agent()
    await agent.start()
    await agent.wait_for("service.ready")
    os.kill(agent.pid, signal.SIGKILL)
    at = CLOCK.monotonic()
    assert projection.files == BOTH

    await until(lambda: not list(projection.path.iterdir()))

    assert CLOCK.monotonic() - at < LEASE + 1
    await agent.exit_code()


async def test_files_of_a_frozen_agent_go_and_come_back_once_it_runs_again(
    projection: Projection, kv: KvSecrets
) -> None:
    async with projection.agent() as agent:
        agent.signal(signal.SIGSTOP)
        await until(lambda: projection.everything == b"")
        kv.grant("/token")
        agent.signal(signal.SIGCONT)

        await until(lambda: bool(projection.files))
        # Nothing that was read before is written again.
        assert projection.files == {"token": BOTH["token"]}
        assert b"s3cr3t-db" not in projection.everything


async def test_an_agent_that_is_started_again_in_time_leaves_no_gap(
    projection: Projection,
) -> None:
    projection.configure(lease="8s")
    killed = projection.agent()
    await killed.start()
    await killed.wait_for("service.ready")
    os.kill(killed.pid, signal.SIGKILL)
    await until(lambda: killed.has_ended)
    seen = [projection.files]
    async with projection.agent() as successor:
        while not successor.logged("projection.written"):
            seen.append(projection.files)
            await asyncio.sleep(0.01)
        seen.append(projection.files)

    assert all(files == BOTH for files in seen)
    await killed.exit_code()


async def test_a_guardian_that_is_killed_is_replaced(projection: Projection) -> None:
    async with projection.agent() as agent:
        first = (await agent.wait_for("projection.guarded"))["guardian"]
        os.kill(first, signal.SIGKILL)
        await agent.wait_for("projection.guarded", 2)
        assert agent.logged("projection.guardian_ended")
        await until(lambda: projection.files == BOTH)

        # The new one does the work.
        os.kill(agent.pid, signal.SIGKILL)
        await until(lambda: projection.everything == b"")


async def test_a_guardian_that_is_asked_to_end_wipes_and_all_is_written_anew(
    projection: Projection,
) -> None:
    async with projection.agent() as agent:
        guardian = (await agent.wait_for("projection.guarded"))["guardian"]
        os.kill(guardian, signal.SIGTERM)
        await agent.wait_for("projection.written", 2)
        assert projection.files == BOTH


async def test_files_that_were_tampered_with_come_back_with_the_next_read(
    projection: Projection, kv: KvSecrets
) -> None:
    async with projection.agent():
        (projection.path / "token").unlink()
        await kv.flush()
        await until(lambda: projection.files == BOTH)


async def test_wiping_by_hand_removes_what_both_processes_left(
    projection: Projection, kv: KvSecrets, tmp_path: Path
) -> None:
    projection.configure(lease="1h")
    command = CommandLine(kv.settings, tmp_path)
    async with projection.agent() as agent:
        code, _, said = await command.run("project", str(projection.config), "--wipe")
        assert code == 1
        assert "stop it first" in said
        guardian = (await agent.wait_for("projection.guarded"))["guardian"]
        os.kill(guardian, signal.SIGKILL)
        os.kill(agent.pid, signal.SIGKILL)
        await agent.exit_code()
        assert projection.everything

        assert (await command.run("project", str(projection.config), "--wipe"))[0] == 0
        assert projection.everything == b""


@pytest.fixture
def small_disk(projection: Projection) -> Iterator[Path]:
    """A tmpfs of 64 KiB where the projected directory is to be."""
    disk = projection.path.parent / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs", disk],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a tmpfs")
    projection.path = disk / "projected"
    yield disk
    subprocess.run(["umount", disk], check=True)  # noqa: S607


async def test_a_full_disk_keeps_the_files_before_and_revoked_ones_go_all_the_same(
    small_disk: Path, projection: Projection, kv: KvSecrets
) -> None:
    projection.configure()
    async with projection.agent() as agent:
        assert projection.files == BOTH
        (small_disk / "filler").write_bytes(b"x" * 40 * 1024)
        await kv.put("db", "s3cr3t-db-2" * 4000)
        await kv.flush()
        failed = await agent.wait_for("projection.disk_failed")
        assert failed["error"] == "No space left on device"
        await CLOCK.sleep(2.5)
        assert projection.files == BOTH
        assert b"s3cr3t-db-2" not in projection.everything

        kv.grant("/token")
        await until(lambda: projection.files == {"token": BOTH["token"]})
        kv.grant("/**")
        (small_disk / "filler").unlink()
        await kv.flush()
        await until(lambda: projection.files.get("db-password") == b"s3cr3t-db-2" * 4000)


async def test_a_consumer_in_the_middle_of_swaps_reads_whole_values(
    projection: Projection, kv: KvSecrets
) -> None:
    values = [f"s3cr3t-{number:02}-" * 500 for number in range(8)]
    allowed = {value.encode() for value in values} | set(BOTH.values())
    seen: set[bytes] = set()
    async with projection.agent():
        for value in values:
            await kv.put("db", value)
            await kv.flush()
            for _ in range(60):
                # As a consumer does that wants files that belong together.
                folder = os.open(projection.path / "..data", os.O_RDONLY | os.O_DIRECTORY)
                for name in BOTH:
                    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
                        seen.add(file.read())
                    await asyncio.sleep(0.001)
                os.close(folder)

    assert seen <= allowed
    assert len(seen) > 4
