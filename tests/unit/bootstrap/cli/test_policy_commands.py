"""`policy check`: what a file grants, and its mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.bootstrap.cli.policy_commands_rig import FILE, run

if TYPE_CHECKING:
    from pathlib import Path


def test_check_shows_what_a_good_file_grants(file: str) -> None:
    result = run("check", file)

    assert result.exit_code == 0
    assert "Issuers: 1, grants: 2, denials: 1, revoked: 0." in result.stdout
    for shown in ("billing", "from the", "/payments/[x]/**", "stop", "every entity", "(hint)"):
        assert shown in result.stdout


def test_check_says_that_an_empty_file_refuses_every_request(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nissuers: {}\ngrants: []\n")

    result = run("check", str(path))

    assert result.exit_code == 0
    assert "every request is refused" in result.stdout


def test_check_prints_every_mistake_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE.replace("version: 1", "version: 2").replace("tags:", "[tag]:"))

    result = run("check", str(path))

    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith("line 1, column 10: version: ")
    assert lines[-1].endswith("policy.yaml has 2 mistakes.")


def test_check_of_a_file_that_is_not_there_is_asked_wrongly(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.yaml"))

    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
