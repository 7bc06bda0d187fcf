"""An audit file, and what operators and disks do to it."""

from __future__ import annotations

import asyncio
import json
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adapters.audit.file import AuditFile
from adapters.audit.sink import BufferLimits, OnFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from domain.model.audit import AuditEvent
    from tests.fakes.clock import FakeClock


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def audit_file(path: Path, clock: FakeClock, on_full: OnFull = OnFull.REFUSE) -> AuditFile:
    limits = BufferLimits(on_full=on_full)
    return AuditFile(path, clock, limits)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def write(path: Path, content: bytes, permissions: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(permissions)


def move(path: Path, to: Path) -> None:
    path.rename(to)


def remove(path: Path) -> None:
    path.unlink()


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def kept(path: Path) -> list[str]:
    return [json.loads(line)["request_id"] for line in lines(path)]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  the sink has no event, and a thread does the writing
        await asyncio.sleep(0)


async def record(file: AuditFile, events: list[AuditEvent]) -> None:
    for event in events:
        file.record(event)
    await until(lambda: not file.waiting)


async def record_failing(file: AuditFile, events: list[AuditEvent]) -> None:
    for event in events:
        file.record(event)
    await until(lambda: file.failing)


async def recover(file: AuditFile, clock: FakeClock) -> None:
    while file.waiting:
        clock.advance(2)
        await asyncio.sleep(0)
