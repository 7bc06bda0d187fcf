"""The command as it is installed: the service starts without what only other commands need."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

from bootstrap.version import __version__
from tests.support.service_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CALL = """\
import gc, sys
from {module} import {function}
try:
    {function}()
finally:
    print("typer" in sys.modules, gc.isenabled())
"""


def called(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Call what the installed script calls, and return exit code, output and errors."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    module, function = project["scripts"]["wasmcloud-secrets"].split(":")
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(module=module, function=function), *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_serve_is_the_service_without_the_other_commands(tmp_path: Path) -> None:
    code, output, errors = called(tmp_path, "serve")

    assert code == 2
    assert "INFISICAL_CLIENT_ID is not set" in errors
    # What runs a service turns the collector on, and this one was never run.
    assert output == "False False\n"


def test_the_version_is_shown_without_loading_the_commands(tmp_path: Path) -> None:
    assert called(tmp_path, "--version")[:2] == (0, f"{__version__}\nFalse True\n")


def test_everything_else_is_one_of_the_commands(tmp_path: Path) -> None:
    code, output, _ = called(tmp_path, "keys", "--help")

    assert code == 0
    assert output.endswith("True True\n")
    code, output, _ = called(tmp_path, "serve", "--help")
    assert code == 0
    assert "Run the service" in output
