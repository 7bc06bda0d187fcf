"""The audit file through rotation, full disks and folders that are gone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.audit.sink import AuditSinkError, OnFull
from tests.contracts.audit import ANSWERED, ids, numbered
from tests.unit.adapters.audit.audit_file_rig import (
    audit_file,
    file_size_limit,
    kept,
    lines,
    mode,
    move,
    record,
    record_failing,
    recover,
    remove,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.clock import FakeClock


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
