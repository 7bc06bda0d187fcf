"""Reading an audit file while it grows and is rotated."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import pytest

from adapters.audit.file_reader import AuditReadError, read_file
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"1\n2\n")
    return path


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def rotate(path: Path, content: bytes) -> None:
    path.rename(path.with_suffix(".1"))
    path.write_bytes(content)


class Following:
    """A reader that follows, and what it has read."""

    def __init__(self, path: Path) -> None:
        self.lines: list[bytes] = []
        self._clock = FakeClock()
        self._task = asyncio.create_task(self._read(path))

    async def _read(self, path: Path) -> None:
        async with aclosing(cast("Any", read_file(path, self._clock, follow=True))) as lines:
            async for line in lines:
                self.lines.append(line)

    async def until(self, *expected: bytes) -> None:
        async with asyncio.timeout(5):
            while self.lines != list(expected):
                self._clock.advance(1)
                await asyncio.sleep(0)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))


async def test_without_following_it_ends_with_the_last_whole_line(path: Path) -> None:
    append(path, b"3\n\nunfinished")

    assert [line async for line in read_file(path, FakeClock(), follow=False)] == [b"1", b"2", b"3"]


async def test_following_shows_lines_once_they_are_whole(path: Path) -> None:
    reader = Following(path)
    await reader.until(b"1", b"2")
    append(path, b"3\n4")
    await reader.until(b"1", b"2", b"3")
    append(path, b"4\n")
    await reader.until(b"1", b"2", b"3", b"44")
    await reader.stop()


async def test_following_goes_on_in_the_file_after_a_rotation(path: Path) -> None:
    reader = Following(path)
    await reader.until(b"1", b"2")
    append(path, b"3\n")
    rotate(path, b"4\n")
    await reader.until(b"1", b"2", b"3", b"4")
    await reader.stop()


async def test_following_begins_again_in_a_file_that_was_truncated(path: Path) -> None:
    reader = Following(path)
    await reader.until(b"1", b"2")
    truncate(path)
    append(path, b"3\n")
    await reader.until(b"1", b"2", b"3")
    await reader.stop()


def truncate(path: Path) -> None:
    path.write_bytes(b"")


async def test_following_waits_for_the_next_file_when_one_was_moved_away(path: Path) -> None:
    reader = Following(path)
    await reader.until(b"1", b"2")
    remove(path)
    await settle()
    append(path, b"3\n")
    await reader.until(b"1", b"2", b"3")
    await reader.stop()


def remove(path: Path) -> None:
    path.unlink()


async def test_what_cannot_be_read_says_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(AuditReadError, match="check path and mode"):
        _ = [line async for line in read_file(tmp_path / "none", FakeClock(), follow=True)]
