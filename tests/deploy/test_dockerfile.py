"""The Dockerfile, by a linter, and each of its commands as the image's build runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.version import __version__
from tests.deploy.conftest import ROOT
from tools.kustomize_base import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKERFILE = ROOT / "Dockerfile"
PYTHON = f"{getattr(sys, '_base_executable', sys.executable)} -m venv"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    found = (line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line)
    return [(name, " ".join(rest.split())) for name, rest in found]


def of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_a_linter_has_nothing_to_say() -> None:
    beside = Path(sys.executable).parent
    hadolint = shutil.which("hadolint", path=str(beside)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: `make deploy-test` installs it")
    done = subprocess.run([hadolint, str(DOCKERFILE)], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_everything_that_is_copied_is_in_the_context() -> None:
    context = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sources = {rest.split()[-2] for rest in of("COPY") if not rest.startswith("--from=")}

    assert context[0] == "*"
    assert sources == {line.removeprefix("!") for line in context[1:]}


def test_the_user_is_the_one_that_the_manifests_run() -> None:
    manifest = (BASE / "deployment.yaml").read_text("utf-8")

    (user,) = of("USER")
    assert f"runAsUser: {user.split(':')[0]}" in manifest


def test_no_shell_stands_between_the_service_and_its_signals() -> None:
    for rest in (*of("ENTRYPOINT"), *of("CMD"), *of("HEALTHCHECK")):
        assert re.search(r'\["[a-z-]+"(, "[a-z-]+")*\]$', rest), rest


def test_pins_have_hashes_and_what_they_do_not_cover_is_not_fetched() -> None:
    installs = [part for run in of("RUN") for part in run.split("&&") if "pip install" in part]

    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-index" in installs[1]
    assert "--no-deps" in installs[1]


@pytest.fixture
def stage() -> Iterator[Path]:
    """A folder in the place of `/`, which other users may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def is_open_to_all(path: Path) -> bool:
    """Say whether every user may read it, and enter it if it is a folder."""
    if path.is_symlink():
        return True
    needed = 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & needed == needed


def test_the_commands_of_the_build_make_what_any_user_can_run(stage: Path) -> None:
    shutil.copy(ROOT / "requirements.txt", stage)
    wheel = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(stage)]
    subprocess.run([sys.executable, "-m", *wheel, str(ROOT)], check=True, timeout=120)

    for command in of("RUN"):
        here = command.replace("/opt/", f"{stage}/opt/").replace("python -m venv", PYTHON)
        subprocess.run(["/bin/sh", "-ec", here], check=True, cwd=stage, timeout=300)
    installed = stage / "opt" / "wasmcloud-secrets"
    program = [str(installed / "bin" / "wasmcloud-secrets"), "--version"]
    none: dict[str, str] = {}
    shown = subprocess.run(
        program, check=False, cwd="/", env=none, capture_output=True, text=True, timeout=60
    )

    assert (shown.returncode, shown.stdout) == (0, f"{__version__}\n"), shown.stderr
    assert not list(installed.rglob("bin/pip"))
    assert [path for path in installed.rglob("*") if not is_open_to_all(path)] == []
