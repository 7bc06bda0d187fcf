"""The wheel and both examples, built and installed once into a fresh environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv

import pytest

from tests.integration.examples.serving import EXAMPLES, Environment
from tests.support.service_process import ROOT


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Build three wheels and install them."""
    folder = tmp_path_factory.mktemp("environment")
    wheels = folder / "wheels"
    for project in (ROOT, *(ROOT / "examples" / name for name in EXAMPLES)):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
            cwd=project,
            check=True,
            capture_output=True,
        )
    made = Environment(folder / "venv")
    venv.create(made.folder, with_pip=False)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(made.python), "install", "--quiet"),
            *("--no-index", "--no-deps", "--disable-pip-version-check"),
            *map(str, sorted(wheels.iterdir())),
        ],
        check=True,
        capture_output=True,
    )
    # The libraries alone: what is installed here as editable is found by import hooks of this very
    # environment, which a path does not bring along.
    site = made.folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made
