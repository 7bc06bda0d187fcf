"""What make's targets leave alone and remove."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_MAKEFILE = Path(__file__).parents[3] / "Makefile"
_MAKE = shutil.which("make")

pytestmark = pytest.mark.skipif(_MAKE is None, reason="make is not installed")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., str]:
    """Run targets in a folder that holds a seed, caches and nothing of this project."""
    shutil.copy(_MAKEFILE, tmp_path)
    for folder in (".run", ".venv", ".mypy_cache", "domain/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ".run/encryption_xkey.seed").touch()

    def run(*targets: str) -> str:
        arguments = [_MAKE or "", "--no-print-directory", *targets]
        return subprocess.run(
            arguments, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    return run


def test_clean_keeps_stored_secrets_and_seeds_and_says_what_removes_them(
    make: Callable[..., str], tmp_path: Path
) -> None:
    output = make("clean")

    assert (tmp_path / ".run/encryption_xkey.seed").exists()
    assert "make wipe" in output
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"Makefile", ".run", "domain"}
    assert not (tmp_path / "domain/__pycache__").exists()


def test_wipe_removes_stored_secrets_and_seeds_and_nothing_else(
    make: Callable[..., str], tmp_path: Path
) -> None:
    make("wipe")

    assert not (tmp_path / ".run").exists()
    assert (tmp_path / ".venv").exists()


def test_make_alone_tells_what_there_is(make: Callable[..., str]) -> None:
    output = make()

    assert "make demo" in output
    assert "make wipe" in output
