"""Folders and links of another user: root follows none and changes nothing in them."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from adapters.system import file_lookup
from adapters.system.files import Folder, UnsafeFileError, create_file, open_to_read, read_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANOTHER = 54321


@pytest.fixture
def act_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the module take this process for that user's."""
    return lambda user: monkeypatch.setattr(file_lookup, "process_user", lambda: user)


@pytest.fixture
def folder_of_another(tmp_path: Path, act_as: Callable[[int], None]) -> Path:
    """A folder that, seen from root, another user owns."""
    if os.geteuid() == 0:
        os.chown(tmp_path, ANOTHER, ANOTHER)
    act_as(0)
    return tmp_path


def test_root_creates_replaces_and_removes_nothing_in_a_folder_that_another_user_owns(
    folder_of_another: Path,
) -> None:
    with pytest.raises(UnsafeFileError) as refusal:
        create_file(folder_of_another / "new", b"text")
    assert refusal.value.errno == errno.EPERM
    assert "owner of the folder" in str(refusal.value.strerror)
    with pytest.raises(UnsafeFileError), Folder.of(folder_of_another / "any"):
        pytest.fail("the folder was opened")

    assert list(folder_of_another.iterdir()) == []


def test_root_reads_in_a_folder_that_another_user_owns_but_through_no_link_of_theirs(
    folder_of_another: Path,
) -> None:
    (folder_of_another / "plain").write_text("text")
    link = folder_of_another / "link"
    link.symlink_to("plain")
    if os.geteuid() == 0:
        os.chown(link, ANOTHER, ANOTHER, follow_symlinks=False)

    assert read_file(folder_of_another / "plain", 10).data == b"text"
    with pytest.raises(UnsafeFileError) as refusal:
        read_file(link, 10)
    assert refusal.value.errno == errno.ELOOP


def test_a_folder_that_was_swapped_for_another_users_link_is_not_entered(
    tmp_path: Path, act_as: Callable[[int], None]
) -> None:
    victim, link = tmp_path / "victim", tmp_path / "keys"
    victim.mkdir()
    link.symlink_to(victim)
    if os.geteuid() == 0:
        os.chown(link, ANOTHER, ANOTHER, follow_symlinks=False)
    act_as(0)

    for attempt in (lambda: create_file(link / "new", b""), lambda: open_to_read(link / "old")):
        with pytest.raises(UnsafeFileError):
            attempt()
    assert list(victim.iterdir()) == []


def test_what_is_appended_to_is_never_reached_through_a_link_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("before")
    (tmp_path / "audit").symlink_to("victim")

    with Folder.of(tmp_path / "audit") as folder, pytest.raises(UnsafeFileError) as refusal:
        folder.open("audit", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    assert refusal.value.errno == errno.ELOOP
