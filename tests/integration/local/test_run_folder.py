"""A process that uses `.run/` keeps others out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bootstrap.local.run_plan import NATS_PID, RunFolderError, lock_run_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / ".run"
    with lock_run_folder(path):
        pass
    with lock_run_folder(path) as folder:
        assert folder.path == path


def test_a_server_left_behind_keeps_it_locked_and_is_named(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "input()"]
    with lock_run_folder(tmp_path) as folder:
        left = subprocess.Popen(sleep, stdin=subprocess.PIPE, pass_fds=(folder.lock,))
        (folder.path / NATS_PID).write_text(f"{left.pid}\n")

    with left:
        with pytest.raises(RunFolderError, match=f"kill {left.pid}"), lock_run_folder(tmp_path):
            pass
        left.kill()

    with lock_run_folder(tmp_path):
        pass


def test_a_file_in_its_place_is_reported(tmp_path: Path) -> None:
    path = tmp_path / ".run"
    path.write_text("not a folder")

    with pytest.raises(RunFolderError, match="cannot be used"), lock_run_folder(path):
        pass


def test_repositories_do_not_take_it_in(tmp_path: Path) -> None:
    with lock_run_folder(tmp_path / ".run"):
        assert (tmp_path / ".run" / ".gitignore").read_text() == "*\n"
