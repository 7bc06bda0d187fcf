"""The audit file: its mode, rotation, full disks, torn lines and what it refuses to open."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.audit.buffered import BufferLimits
from adapters.audit.file import AuditFile, AuditFileConfig, FsyncPolicy
from adapters.audit.line_file import AppendFailedError, LineFile
from adapters.audit.sink import AuditSinkError, OnFull
from tests.contracts.audit import ANSWERED, ids, numbered
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from domain.model.audit import AuditEvent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


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
    return AuditFile(AuditFileConfig(path, FsyncPolicy.BATCH, limits), clock)


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


async def test_a_new_file_is_for_its_owner_alone(path: Path, clock: FakeClock) -> None:
    file = audit_file(path, clock)
    await file.start()
    await file.aclose()

    assert mode(path) == 0o600


async def test_an_existing_file_is_appended_to_and_keeps_its_mode(
    path: Path, clock: FakeClock
) -> None:
    write(path, b'{"request_id":"earlier"}\n', 0o640)
    file = audit_file(path, clock)
    await file.start()
    await record(file, [ANSWERED])
    await file.aclose()

    assert kept(path) == ["earlier", ANSWERED.request_id]
    assert mode(path) == 0o640


async def test_a_file_that_was_moved_away_is_made_anew(path: Path, clock: FakeClock) -> None:
    file, moved = audit_file(path, clock), path.with_suffix(".1")
    first, second, third = numbered(3)
    await file.start()
    await record(file, [first])
    move(path, moved)
    await record(file, [second])
    remove(path)
    await record(file, [third])
    await file.aclose()

    assert (kept(moved), kept(path)) == (ids([first]), ids([third]))


async def test_a_file_that_was_truncated_is_written_from_its_start(
    path: Path, clock: FakeClock
) -> None:
    file = audit_file(path, clock)
    first, second = numbered(2)
    await file.start()
    await record(file, [first])
    os.truncate(path, 0)
    await record(file, [second])
    await file.aclose()

    assert kept(path) == ids([second])


async def test_reopening_makes_a_file_anew_that_another_name_still_holds(
    path: Path, clock: FakeClock
) -> None:
    file = audit_file(path, clock)
    first, second = numbered(2)
    await file.start()
    await record(file, [first])
    file.reopen()
    await record(file, [second])
    await file.aclose()

    assert kept(path) == ids([first, second])


async def test_a_full_disk_refuses_and_costs_no_event(path: Path, clock: FakeClock) -> None:
    file = audit_file(path, clock)
    events = numbered(50)
    await file.start()
    with capture_logs() as logs:
        with file_size_limit(7000):
            await record_failing(file, events)
            assert not file.accepts()
            assert kept(path) == ids(events)[: len(lines(path))]
        await recover(file, clock)
    await file.aclose()

    assert kept(path) == ids(events)
    assert file.dropped == 0
    assert [(log["event"], log["reason"]) for log in logs] == [
        ("audit.file_failed", "file_too_large"),
        ("audit.file_recovered", "file_too_large"),
    ]


async def test_a_file_that_may_drop_accepts_during_an_outage(path: Path, clock: FakeClock) -> None:
    file = audit_file(path, clock, OnFull.DROP)
    await file.start()
    with file_size_limit(0):
        await record_failing(file, [ANSWERED])
        assert file.accepts()
    await recover(file, clock)
    await file.aclose()

    assert kept(path) == [ANSWERED.request_id]


async def test_a_folder_that_is_gone_for_a_while_costs_no_event(
    tmp_path: Path, clock: FakeClock
) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    file = audit_file(folder / "audit.jsonl", clock)
    first, second = numbered(2)
    await file.start()
    await record(file, [first])
    folder.rename(tmp_path / "moved")
    await record_failing(file, [second])
    folder.mkdir()
    await recover(file, clock)
    await file.aclose()

    assert kept(folder / "audit.jsonl") == ids([second])


async def test_a_line_that_a_killed_process_left_unfinished_spoils_no_other(
    path: Path, clock: FakeClock
) -> None:
    write(path, b'{"request_id":"un')
    file = audit_file(path, clock)
    await file.start()
    await record(file, [ANSWERED])
    await file.aclose()

    torn, whole = lines(path)
    assert torn == b'{"request_id":"un'
    assert json.loads(whole)["request_id"] == ANSWERED.request_id


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("symbolic link", "symbolic_link"),
        ("folder", "no_regular_file"),
        ("pipe", "no_regular_file"),
        ("nothing", "folder_missing"),
    ],
)
async def test_what_is_no_regular_file_is_refused_at_the_start_with_advice(
    tmp_path: Path, clock: FakeClock, kind: str, reason: str
) -> None:
    path = tmp_path / "folder" / "audit.jsonl"
    if kind != "nothing":
        path.parent.mkdir()
    if kind == "symbolic link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)

    with pytest.raises(AuditSinkError) as failure:
        await audit_file(path, clock).start()

    assert f"({reason})" in str(failure.value)
    assert str(path) in str(failure.value)


def test_a_line_that_did_not_fit_can_be_written_whole_later(path: Path) -> None:
    file = LineFile(path, sync=False)
    file.open()
    with file_size_limit(10), pytest.raises(AppendFailedError) as failure:
        file.append([b"first", b"second"])
    assert (failure.value.appended, path.read_bytes()) == (1, b"first\n")

    file.append([b"second"])
    file.close()

    assert path.read_bytes() == b"first\nsecond\n"


def test_a_torn_line_stays_where_another_process_has_appended_since(path: Path) -> None:
    mine, other = LineFile(path, sync=False), LineFile(path, sync=False)
    mine.append([b"first"])
    other.append([b"second"])
    assert mine._descriptor is not None

    mine._take_back(mine._descriptor, 3)
    mine.close()
    other.close()

    assert path.read_bytes() == b"first\nsecond\n"


def test_lines_that_could_not_be_forced_to_the_disk_count_as_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "")

    file = LineFile(path, sync=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(AppendFailedError) as failure:
            file.append([b"first"])
    assert (failure.value.reason, failure.value.appended) == ("eio", 0)

    file.append([b"first"])
    file.close()

    assert path.read_bytes() == b"first\nfirst\n"


@pytest.mark.parametrize(
    ("limit", "appended", "left"),
    [
        (0, 0, b""),
        (5, 0, b""),
        (6, 1, b"first\n"),
        (12, 1, b"first\n"),
        (13, 2, b"first\nsecond\n"),
    ],
)
def test_only_whole_lines_are_left_of_a_write_that_failed(
    path: Path, limit: int, appended: int, left: bytes
) -> None:
    file = LineFile(path, sync=True)
    with file_size_limit(limit), pytest.raises(AppendFailedError) as failure:
        file.append([b"first", b"second", b"third"])
    file.close()

    assert (failure.value.appended, path.read_bytes()) == (appended, left)


async def test_an_event_that_comes_while_a_write_hangs_past_the_end_is_lost_and_counted(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    hanging = threading.Event()

    def hang(descriptor: int) -> None:
        hanging.set()
        release.wait(10)

    file = audit_file(path, clock)
    await file.start()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", hang)
        file.record(ANSWERED)
        await until(hanging.is_set)
        closing = asyncio.create_task(file.aclose())
        await asyncio.sleep(0)
        clock.advance(10)
        await closing
        assert file.dropped == 1
        release.set()
        assert file._last is not None
        await file._last
    file._file.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_without_permission_says_so(path: Path) -> None:
    path.touch(mode=0o400)

    with pytest.raises(AppendFailedError) as failure:
        LineFile(path, sync=False).open()

    assert failure.value.reason == "permission_denied"
