"""Changes of a policy file on disk, and a task that watches it."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.unit.adapters.access_policy.policies import GOOD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from adapters.access_policy.file import AccessPolicyFile
    from tests.fakes.clock import FakeClock

EMPTY = "version: 1\nissuers: {}\ngrants: []\n"
BROKEN = GOOD.replace("subject:", "subjekt:")


async def asleep(clock: FakeClock) -> None:
    """Wait until a task waits for the clock to move."""
    while all(waiter.done() for _, waiter in clock._due):  # noqa: ASYNC110  the clock has no event
        await asyncio.sleep(0)


async def pass_time(clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)
    await asleep(clock)


@asynccontextmanager
async def watching(policy: AccessPolicyFile, clock: FakeClock) -> AsyncIterator[None]:
    watcher = asyncio.create_task(policy.watch())
    await asleep(clock)
    yield
    assert not watcher.done()
    watcher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watcher


def write(path: Path, text: str) -> None:
    path.write_text(text)


def write_unnoticed(path: Path, text: str) -> None:
    """Write in place, and set the file's time back."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove(path: Path) -> None:
    path.unlink()


def mount_volume(folder: Path) -> None:
    """Lay files out as Kubernetes mounts a ConfigMap."""
    for version, text in (("..v1", GOOD), ("..v2", EMPTY)):
        (folder / version).mkdir()
        (folder / version / "policy.yaml").write_text(text)
    (folder / "..data").symlink_to("..v1")
    (folder / "policy.yaml").symlink_to("..data/policy.yaml")


def swap_links(folder: Path) -> None:
    """Change to the second version as Kubernetes does."""
    (folder / "..data_tmp").symlink_to("..v2")
    (folder / "..data_tmp").replace(folder / "..data")


def replace_file(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
