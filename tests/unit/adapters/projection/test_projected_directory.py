"""A projected directory as its consumers, its disk and other users see it."""

from __future__ import annotations

import os
import resource
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.projection.content import (
    MEMORY,
    DirectoryRights,
    ProjectedContent,
    UnfitDirectoryError,
    filesystem_of,
)
from adapters.projection.directory import ProjectedDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_795_000_000.0


def content(name: str, data: bytes, mode: int = 0o400) -> ProjectedContent:
    return ProjectedContent(name, data, mode, (-1, -1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
def directory(path: Path) -> Iterator[ProjectedDirectory]:
    made = ProjectedDirectory.make(path, DirectoryRights(0o750), needs_memory=False)
    yield made
    made.close()


def shown(path: Path) -> dict[str, bytes]:
    """Return what a consumer reads that passes over names with a leading dot."""
    shown = (entry for entry in path.iterdir() if not entry.name.startswith("."))
    return {entry.name: entry.read_bytes() for entry in shown if entry.exists()}


def hidden(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.name.startswith("."))


def test_files_hold_exact_bytes_under_their_modes(
    directory: ProjectedDirectory, path: Path
) -> None:
    before = os.umask(0o077)
    try:
        directory.write([content("a", b"x", 0o440), content("b", b"\xff\n\x00", 0o644)], NOW)
    finally:
        os.umask(before)

    assert shown(path) == {"a": b"x", "b": b"\xff\n\x00"}
    assert stat.S_IMODE((path / "a").stat().st_mode) == 0o440
    assert stat.S_IMODE((path / "b").stat().st_mode) == 0o644
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert stat.S_IMODE((path / "..data/").stat().st_mode) == 0o750


def test_a_change_is_one_rename_and_the_old_generation_can_be_read_on(
    directory: ProjectedDirectory, path: Path
) -> None:
    directory.write([content("a", b"1"), content("b", b"1")], NOW)
    reader = os.open(path / "..data", os.O_RDONLY | os.O_DIRECTORY)
    links = {name: (path / name).lstat().st_ino for name in ("a", "b")}

    directory.write([content("a", b"2"), content("b", b"2")], NOW + 1)

    with os.fdopen(os.open("b", os.O_RDONLY, dir_fd=reader), "rb") as old:
        assert old.read() == b"1"
    assert shown(path) == {"a": b"2", "b": b"2"}
    assert links == {name: (path / name).lstat().st_ino for name in ("a", "b")}
    directory.drop_old()
    assert len(hidden(path)) == 2  # the link and the one generation
    os.close(reader)


def test_readers_of_the_generation_in_force_never_see_two(
    directory: ProjectedDirectory, path: Path
) -> None:
    directory.write([content("a", b"0"), content("b", b"0")], NOW)
    done = threading.Event()
    pairs: set[tuple[bytes, bytes]] = set()

    def consume() -> None:
        while not done.is_set():
            folder = os.open(path / "..data", os.O_RDONLY | os.O_DIRECTORY)
            read = []
            for name in ("a", "b"):
                with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
                    read.append(file.read())
            os.close(folder)
            pairs.add((read[0], read[1]))

    reader = threading.Thread(target=consume)
    reader.start()
    for number in range(1, 40):
        data = str(number).encode()
        directory.write([content("a", data), content("b", data)], NOW)
    done.set()
    reader.join()

    assert all(first == second for first, second in pairs)
    assert len(pairs) > 1


def test_files_come_and_go_with_the_generation(directory: ProjectedDirectory, path: Path) -> None:
    directory.write([content("a", b"1"), content("b", b"1")], NOW)
    directory.write([content("b", b"1"), content("c", b"1")], NOW)

    assert shown(path) == {"b": b"1", "c": b"1"}
    assert directory.holds({"b", "c"})
    assert not directory.holds({"b"})


@pytest.mark.parametrize("by", [{"remove": ["a", "x"]}, {"keep_only": {"b", "x"}}])
def test_a_removed_file_is_gone_from_the_generation_before_too(
    directory: ProjectedDirectory, path: Path, by: dict[str, Any]
) -> None:
    directory.write([content("a", b"1"), content("b", b"1")], NOW)
    directory.write([content("a", b"2"), content("b", b"2")], NOW)

    for method, names in by.items():
        getattr(directory, method)(names)

    assert shown(path) == {"b": b"2"}
    assert not list(path.rglob("a"))
    assert directory.holds({"b"})


def test_what_cannot_be_written_leaves_the_state_before(
    directory: ProjectedDirectory, path: Path
) -> None:
    directory.write([content("a", b"old")], NOW)
    before = hidden(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            directory.write([content("new", b"1"), content("a", b"2" * 100_000)], NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert shown(path) == {"a": b"old"}
    assert hidden(path) == before
    assert not os.path.lexists(path / "new")


def test_a_foreign_file_in_the_way_is_neither_replaced_nor_removed(
    directory: ProjectedDirectory, path: Path
) -> None:
    (path / "a").write_text("mine")
    (path / "note").write_text("mine too")

    with pytest.raises(UnfitDirectoryError, match='"a" is there and not of this agent'):
        directory.write([content("a", b"1")], NOW)
    directory.write([content("b", b"1")], NOW)
    directory.wipe()

    assert shown(path) == {"a": b"mine", "note": b"mine too"}
    assert hidden(path) == []


def test_the_wipe_leaves_nothing_of_half_written_generations(
    directory: ProjectedDirectory, path: Path
) -> None:
    directory.write([content("a", b"1")], NOW)
    half = path / "..2026_11_28_10_15_00.1b2c3d4e"
    half.mkdir()
    (half / ".a.temporary").write_text("secret")
    (path / "..data_tmp").symlink_to(half.name)

    directory.wipe()

    assert list(path.iterdir()) == []
    assert directory.holds(())


def test_a_directory_that_was_tampered_with_is_noticed(
    directory: ProjectedDirectory, path: Path
) -> None:
    directory.write([content("a", b"1"), content("b", b"1")], NOW)
    (path / "a").unlink()
    assert not directory.holds({"a", "b"})

    directory.write([content("a", b"1"), content("b", b"1")], NOW)
    (path / "..data/b").resolve().unlink()
    assert not directory.holds({"a", "b"})


def test_one_process_at_a_time_has_the_directory(directory: ProjectedDirectory, path: Path) -> None:
    first, second = ProjectedDirectory.found(path), ProjectedDirectory.found(path)
    assert first is not None
    assert second is not None

    assert first.lock()
    assert not second.lock()
    first.close()
    assert second.lock()
    second.close()


def test_a_disk_is_refused_where_memory_is_needed(path: Path) -> None:
    if _lies_in_memory(path.parent):
        pytest.skip("the temporary folder lies on tmpfs")
    with pytest.raises(UnfitDirectoryError, match="where a power loss leaves secrets behind"):
        ProjectedDirectory.make(path, DirectoryRights(), needs_memory=True)


def test_a_directory_in_memory_is_known_as_such(tmp_path: Path) -> None:
    shared = Path("/dev/shm")  # noqa: S108  tmpfs on every Linux
    if not (shared.is_dir() and _lies_in_memory(shared)):
        pytest.skip("no tmpfs at /dev/shm")
    path = shared / f"projected-{os.getpid()}"
    try:
        ProjectedDirectory.make(path, DirectoryRights(), needs_memory=True).close()
    finally:
        path.rmdir()


def test_a_link_in_the_directorys_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to("elsewhere")

    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        ProjectedDirectory.make(path, DirectoryRights(), needs_memory=False)


def test_what_was_never_made_is_not_made_to_be_wiped(path: Path) -> None:
    assert ProjectedDirectory.found(path) is None
    assert not path.exists()


def _lies_in_memory(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return filesystem_of(descriptor) in MEMORY
    finally:
        os.close(descriptor)
