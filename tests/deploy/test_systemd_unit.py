"""The systemd unit, by systemd's own tools where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bootstrap.closing import CLOSING_SECONDS
from bootstrap.settings.model import every_variable
from bootstrap.settings.service import LimitSettings
from tests.deploy.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {
    "wasmcloud-secrets.service": "systemd.md",
    "wasmcloud-secrets-project.service": "wasmcloud2-files.md",
}


@pytest.fixture(params=PAGES)
def unit(request: pytest.FixtureRequest) -> Path:
    return ROOT / "deploy" / "systemd" / str(request.param)


def values(unit: Path, name: str) -> list[str]:
    pairs = [line.split("=", 1) for line in unit.read_text("utf-8").splitlines() if "=" in line]
    return [value for found, value in pairs if found == name]


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed; it comes with systemd")
    return found


def test_systemd_takes_every_line(analyze: str, unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    program = values(unit, "ExecStart")[0].split()[0]
    copy.write_text(unit.read_text("utf-8").replace(program, "/bin/true"), "utf-8")

    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )

    assert [line for line in done.stderr.splitlines() if unit.name in line] == []


def test_the_exposure_is_what_the_page_says(analyze: str, unit: Path) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(unit)],
        check=False,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    said = re.search(
        r"exposure level of (\d+\.\d+)", (ROOT / "docs" / PAGES[unit.name]).read_text("utf-8")
    )

    assert found is not None
    assert said is not None
    assert float(found[1]) <= float(said[1])


def test_every_setting_exists(unit: Path) -> None:
    names = {text.split("=")[0] for text in values(unit, "Environment")}

    assert names
    assert names <= set(every_variable(shipped=True))


def test_refused_logins_outlive_a_restart(unit: Path) -> None:
    (folder,) = values(unit, "StateDirectory")
    given = dict(text.split("=", 1) for text in values(unit, "Environment"))

    assert given["INFISICAL_LOCKOUT_FILE"] == f"%S/{folder}/infisical-logins"
    assert given["VAULT_STATE_FOLDER"] == f"%S/{folder}"


def test_other_users_reach_the_directories_of_the_agent() -> None:
    """With a dynamic user, a runtime directory that is kept lies below /run/private."""
    unit = ROOT / "deploy" / "systemd" / "wasmcloud-secrets-project.service"

    assert values(unit, "RuntimeDirectoryPreserve") == ["restart"]
    assert not values(unit, "DynamicUser")
    assert values(unit, "User") == ["wasmcloud-project"]


def test_a_stop_has_the_time_that_the_service_takes(unit: Path) -> None:
    grace = LimitSettings.model_fields["shutdown_grace_seconds"].default

    assert float(values(unit, "TimeoutStopSec")[0]) > grace + CLOSING_SECONDS


def test_a_wrong_setting_is_not_tried_again(unit: Path) -> None:
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "RestartPreventExitStatus") == ["2"]
    assert values(unit, "Type") == ["notify"]
