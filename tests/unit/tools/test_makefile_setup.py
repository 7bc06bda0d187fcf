"""Which pip sets up `.venv`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_MAKEFILE = Path(__file__).parents[3] / "Makefile"
_MAKE = shutil.which("make")
_PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
case "$*" in
  *" venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;;
  *" --python "*) exit {outer};;
  *ensurepip*) touch .venv/bin/pip3;;
esac
"""

pytestmark = pytest.mark.skipif(_MAKE is None, reason="make is not installed")


def calls(folder: Path, *, outer: int) -> list[str]:
    """Set up by an interpreter that only notes its calls; `pip --python` ends with that code."""
    shutil.copy(_MAKEFILE, folder)
    for name in ("requirements-local.txt", "requirements-dev.txt", "pyproject.toml"):
        (folder / name).touch()
    base = folder / "base"
    base.write_text(_PYTHON.format(outer=outer))
    base.chmod(0o755)
    for target in (".venv/.ready", ".venv/.ready-dev"):
        subprocess.run(
            [_MAKE or "", target, "PYTHON=./base"], cwd=folder, check=True, capture_output=True
        )
    return [line for line in (folder / "calls").read_text().splitlines() if " -m " in line]


def test_the_interpreters_own_pip_sets_up_and_the_tools_bring_another(tmp_path: Path) -> None:
    made, asked, first, second, *later = calls(tmp_path, outer=0)

    assert made.endswith("--without-pip .venv")
    assert all(call.startswith("base -m pip --python .venv") for call in (asked, first, second))
    assert " --require-hashes -r requirements-local.txt" in first
    assert later[0] == "python -m ensurepip"
    assert later[1].startswith("python -m pip install")


def test_an_interpreter_without_a_pip_that_can_puts_one_into_the_folder(tmp_path: Path) -> None:
    _, asked, ensured, *installed = calls(tmp_path, outer=1)

    assert asked.startswith("base -m pip --python .venv")
    assert ensured == "python -m ensurepip"
    assert [call.split()[:4] for call in installed[:3]] == [["python", "-m", "pip", "install"]] * 3
    assert not any("ensurepip" in call for call in installed)
