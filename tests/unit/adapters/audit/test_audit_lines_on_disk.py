"""Lines reach the disk whole, or count as not written."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from adapters.audit.line_file import LineFile
from adapters.audit.sink import DeliveryFailedError
from tests.contracts.audit import ANSWERED
from tests.unit.adapters.audit.audit_file_rig import audit_file, file_size_limit, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.clock import FakeClock


def test_a_line_that_did_not_fit_can_be_written_whole_later(path: Path) -> None:
    file = LineFile(path, sync=False)
    file.open()
    with file_size_limit(10), pytest.raises(DeliveryFailedError) as failure:
        file.append([b"first", b"second"])
    assert (failure.value.delivered, path.read_bytes()) == (1, b"first\n")

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
        with pytest.raises(DeliveryFailedError) as failure:
            file.append([b"first"])
    assert (failure.value.reason, failure.value.delivered) == ("eio", 0)

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
    with file_size_limit(limit), pytest.raises(DeliveryFailedError) as failure:
        file.append([b"first", b"second", b"third"])
    file.close()

    assert (failure.value.delivered, path.read_bytes()) == (appended, left)


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

    with pytest.raises(DeliveryFailedError) as failure:
        LineFile(path, sync=False).open()

    assert failure.value.reason == "permission_denied"
