"""Files by descriptor: what another user puts under a name is neither followed nor changed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from adapters.system.files import Folder, UnsafeFileError, create_file, read_file, replace_file


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_new_file_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        create_file(tmp_path / "new", b"text", mode)
    finally:
        os.umask(before)

    assert (tmp_path / "new").read_bytes() == b"text"
    assert mode_of(tmp_path / "new") == mode
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "folder"])
def test_a_name_that_is_taken_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path, victim = tmp_path / "new", tmp_path / "victim"
    victim.write_text("before")
    match kind:
        case "file":
            path.write_text("before")
        case "link":
            path.symlink_to(victim)
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
        case _:
            path.mkdir()

    with pytest.raises(FileExistsError):
        create_file(path, b"after")

    assert victim.read_text() == "before"
    assert not (tmp_path / "nowhere").exists()
    assert kind != "file" or path.read_text() == "before"


def test_without_hard_links_a_new_file_is_written_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTSUP, "none here")

    monkeypatch.setattr(os, "link", refuse)
    create_file(tmp_path / "new", b"text", 0o640)

    assert (tmp_path / "new").read_bytes() == b"text"
    assert mode_of(tmp_path / "new") == 0o640
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "new", b"other")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_links_of_a_mounted_volume_are_followed_when_reading(tmp_path: Path) -> None:
    """As Kubernetes mounts them: the name into `..data`, and that to the version in force."""
    version = tmp_path / "..2027"
    version.mkdir()
    (version / "seed").write_text("text")
    (tmp_path / "..data").symlink_to("..2027")
    (tmp_path / "seed").symlink_to("..data/seed")
    (tmp_path / "absolute").symlink_to(tmp_path / "seed")

    assert read_file(tmp_path / "seed", 100).data == b"text"
    assert read_file(tmp_path / "absolute", 100).data == b"text"
    assert read_file(tmp_path / "..data" / ".." / "seed", 100).data == b"text"


def test_links_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    with pytest.raises(OSError, match="link") as refusal:
        read_file(tmp_path / "one", 10)
    assert refusal.value.errno == errno.ELOOP


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_only_regular_files_are_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "special"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")

    with pytest.raises(UnsafeFileError, match="regular file") as refusal:
        read_file(path, 10)
    assert refusal.value.errno == errno.ENXIO


def test_replacing_a_link_leaves_what_it_names_alone(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("before")
    (tmp_path / "name").symlink_to("victim")
    create_file(tmp_path / "new", b"after")

    with Folder.of(tmp_path / "name") as folder:
        folder.replace("name", by="new")

    assert (tmp_path / "victim").read_text() == "before"
    assert not (tmp_path / "name").is_symlink()
    assert (tmp_path / "name").read_text() == "after"


def test_a_folder_that_is_moved_while_it_is_open_is_still_the_one_that_is_written_to(
    tmp_path: Path,
) -> None:
    keys, victim = tmp_path / "keys", tmp_path / "victim"
    keys.mkdir()
    victim.mkdir()
    with Folder.of(keys / "new") as folder:
        keys.rename(tmp_path / "moved")
        keys.symlink_to(victim)
        folder.create("new", b"text")

    assert (tmp_path / "moved" / "new").read_bytes() == b"text"
    assert list(victim.iterdir()) == []


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    before = open_descriptors()
    for path in (tmp_path / "a", tmp_path / "link", tmp_path / "no" / "folder", tmp_path):
        with pytest.raises(OSError, match=r"."):
            read_file(path, 10)
    create_file(tmp_path / "new", b"text")
    read_file(tmp_path / "new", 10)

    assert open_descriptors() == before


def test_a_relative_path_is_looked_up_from_where_the_process_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("text")
    monkeypatch.chdir(tmp_path)

    assert read_file(Path("sub/file"), 2).data == b"te"
    assert read_file(Path("sub/../sub/file"), 10).data == b"text"


def test_content_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "seed").write_text("canary")

    assert "canary" not in repr(read_file(tmp_path / "seed", 100))


@pytest.mark.parametrize("kind", ["nothing", "file", "link"])
def test_a_file_that_is_replaced_is_whole_and_leaves_what_a_link_names_alone(
    tmp_path: Path, kind: str
) -> None:
    path, victim = tmp_path / "state", tmp_path / "victim"
    victim.write_text("before")
    if kind == "file":
        path.write_text("before")
    elif kind == "link":
        path.symlink_to(victim)

    replace_file(path, b"after", 0o640)

    assert (path.read_text(), mode_of(path), path.is_symlink()) == ("after", 0o640, False)
    assert victim.read_text() == "before"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["state", "victim"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "entry").touch()

    with pytest.raises(OSError, match="state"):
        replace_file(tmp_path / "state", b"after")

    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]
