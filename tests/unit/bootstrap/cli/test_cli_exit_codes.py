"""A command that is asked wrongly ends with 2 and says what to give instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from bootstrap.cli import app
from bootstrap.settings.model import known_variables

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with one file, and no setting."""
    monkeypatch.chdir(tmp_path)
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "there").write_text("not to be written over")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("audit tail --stream a.b", "a stream's name holds only"),
        ("audit why --stream a*", "a stream's name holds only"),
        ("audit verify --stream >", "a stream's name holds only"),
        ("audit tail --since soon", "write a number and a unit"),
        ("audit tail --file missing", "cannot be read"),
        ("check --nope", "No such option"),
        ("keys generate xkey --out there", "--out names a file that exists already"),
        ("keys generate xkey --out no/such", "--out names a file in a folder that does not exist"),
        ("keys generate", "xkey (X), account (A), component (M)"),
        ("keys generate banana", "Write xkey (X)"),
        ("keys inspect banana", "A public key has exactly 56 characters"),
        ("manifest check missing", "cannot be read"),
        ("nats-auth init there", "there"),
        ("policy check missing", "cannot be read"),
        ("policy draft missing", "cannot be read"),
        ("request KEY --property a=1 --property a=2", "each name once"),
        ("request KEY --property =1", "each name once"),
        ("project there --check --wipe", "Give --check or --wipe"),
        ("request KEY --raw --output json", "Give --raw or --output json"),
        ("request KEY --entity-token-file there --entity-seed-file there", "not both"),
        ("request KEY --timeout 0", "greater than or equal to 0.1"),
        ("serve --json", "It goes with --check"),
        ("token sign --issuer-seed-file missing", "does not exist"),
        ("workload start missing", "cannot be read"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_what_to_give(
    command: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:1")
    before = sorted(folder.iterdir())

    result = CliRunner().invoke(app, command.split(), catch_exceptions=False)

    assert words in " ".join(result.output.split())
    assert result.exit_code == 2
    assert sorted(folder.iterdir()) == before
    assert (folder / "there").read_text() == "not to be written over"
