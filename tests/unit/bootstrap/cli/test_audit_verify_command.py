"""`audit verify` on files: what it says of a trail as it was written, and of one that was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from adapters.audit.signing import PURPOSE, LineSigner, public_key_of
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli import audit
from tests.contracts.audit import REFUSED, numbered
from tests.support.audit_text import audit_line

if TYPE_CHECKING:
    from pathlib import Path

PAIR = SodiumXKeyPair.generate()
SEED = PAIR.derive(PURPOSE)
KEY = public_key_of(SEED)


@pytest.fixture
def lines() -> list[bytes]:
    signer = LineSigner(SEED)
    return [signer.sign(audit_line(event)) for event in numbered(40)]


def verify(*words: str) -> Result:
    return CliRunner().invoke(audit.app, ["verify", *words])


def write(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)


def test_a_trail_as_it_was_written_is_said_to_be_so(tmp_path: Path, lines: list[bytes]) -> None:
    result = verify("--file", write(tmp_path / "a", lines), "--key", KEY)

    assert result.exit_code == 0, result.output
    assert "40 events in 1 chains, as written." in result.stdout
    assert "1 to 40" in result.stdout


def test_rotated_files_are_checked_as_one(tmp_path: Path, lines: list[bytes]) -> None:
    older, newer = write(tmp_path / "a.1", lines[:25]), write(tmp_path / "a", lines[25:])

    assert verify("--file", older, "--file", newer, "--key", KEY).exit_code == 0
    alone = verify("--file", newer, "--key", KEY)
    assert alone.exit_code == 0
    assert "26 to 40; those before were removed" in alone.stdout


def test_a_trail_that_was_tampered_with_ends_with_code_1(
    tmp_path: Path, lines: list[bytes]
) -> None:
    lines[3] = lines[3].replace(b'"answered"', b'"refused"')
    lines.insert(10, audit_line(REFUSED))
    del lines[20:22]

    result = verify("--file", write(tmp_path / "a", lines), "--key", KEY)

    assert result.exit_code == 1
    assert "event 4 was changed, or signed with another key." in result.stderr
    assert "event 11 is not signed." in result.stderr
    assert "events 20 to 21 of chain" in result.stderr
    assert "problems." in result.stdout


def test_of_many_problems_twenty_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "a", [audit_line(event) for event in numbered(50)])

    result = verify("--file", path, "--key", KEY)

    assert result.stderr.count("is not signed") == 20
    assert "30 problems more" in result.stderr


def test_the_key_follows_from_the_server_xkey_while_that_is_rotated_too(
    tmp_path: Path, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", lines)
    seed_file = tmp_path / "seed"
    seed_file.write_text(SodiumXKeyPair.generate().seed_text())
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", str(seed_file))
    assert verify("--file", path).exit_code == 1

    (tmp_path / "seed.retired").write_text(PAIR.seed_text())
    assert verify("--file", path).exit_code == 0
    monkeypatch.delenv("SERVER_XKEY_SEED_FILE")
    monkeypatch.setenv("SERVER_XKEY_SEED", PAIR.seed_text())
    result = verify("--file", path)

    assert result.exit_code == 0
    assert PAIR.seed_text() not in result.output


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--file", "a"], "Give --key"),
        (["--file", "a", "--key", "x"], "43 characters"),
        (["--file", "none", "--key", KEY], "cannot be read"),
    ],
)
def test_what_cannot_be_checked_is_one_line_of_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], advice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", [])

    result = verify(*words)

    assert result.exit_code == 2
    assert advice in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_no_seed_file_is_made_by_looking_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", str(tmp_path / "seed"))

    assert verify("--file", write(tmp_path / "a", [])).exit_code == 2
    assert not (tmp_path / "seed").exists()
