"""The kv commands on a real bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from adapters.crypto.seed_file import write_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli import kv as commands

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def seed_file(
    nats_url: str, subject_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """Set the commands' environment: a bucket and a seed file of the test's own."""
    path = tmp_path / "encryption_xkey.seed"
    write_seed(path, SodiumXKeyPair.generate().seed_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NATS_URL", nats_url)
    monkeypatch.setenv("NATS_KV_BUCKET", subject_prefix)
    monkeypatch.setenv("ENCRYPTION_XKEY_SEED_FILE", str(path))
    return path


def run(*words: str, stdin: bytes | None = None, exit_code: int = 0) -> str:
    result = CliRunner().invoke(commands.app, list(words), input=stdin)
    assert result.exit_code == exit_code, result.output
    return result.stdout


@pytest.mark.usefixtures("seed_file")
def test_a_secret_is_written_read_listed_rotated_and_deleted() -> None:
    created = run("put", "app/KEY", "--expect", "0", "--create-bucket", stdin=b"old\n")
    assert "Created the bucket" in created
    assert "version 1" in created
    assert "version 2" in run("put", "app/KEY", "--expect", "1", stdin=b"new\n")
    run("put", "app/KEY", "--expect", "1", stdin=b"lost\n", exit_code=1)

    assert run("get", "app/KEY") == "new\n"
    assert run("get", "/app/KEY", "--version", "1") == "old\n"
    assert run("list", "app/") == "app/KEY\n"
    assert run("history", "app/KEY").count("put") == 2

    run("delete", "app/KEY", "--yes")

    assert run("list") == ""
    run("get", "app/KEY", exit_code=1)
    run("get", "app/KEY", "--version", "1", exit_code=1)
    run("delete", "app/KEY", "--yes", exit_code=1)


@pytest.mark.usefixtures("seed_file")
@pytest.mark.parametrize("words", [["list"], ["put", "KEY"], ["history", "KEY"]])
def test_no_bucket_is_created_unasked(words: list[str]) -> None:
    result = CliRunner().invoke(commands.app, words, input=b"value")

    assert result.exit_code == 1
    assert "There is no bucket" in result.stderr


@pytest.mark.parametrize("words", [["put", "KEY"], ["get", "KEY"]])
def test_a_mistyped_seed_file_is_named_and_not_created(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    run("put", "KEY", "--create-bucket", stdin=b"value")
    mistyped = seed_file.with_name("encryption-xkey.seed")
    monkeypatch.setenv("ENCRYPTION_XKEY_SEED_FILE", str(mistyped))

    result = CliRunner().invoke(commands.app, words, input=b"lost")

    assert result.exit_code == 2
    assert "ENCRYPTION_XKEY_SEED_FILE names a file that does not exist" in result.stderr
    assert not mistyped.exists()


def test_a_value_is_not_sealed_with_another_key_than_the_others(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("put", "KEY", "--create-bucket", stdin=b"value")
    monkeypatch.delenv("ENCRYPTION_XKEY_SEED_FILE")
    monkeypatch.setenv("ENCRYPTION_XKEY_SEED", SodiumXKeyPair.generate().seed_text())

    result = CliRunner().invoke(commands.app, ["put", "OTHER"], input=b"lost")

    assert result.exit_code == 1
    assert "none of the 1 looked at opens with this encryption xkey" in result.stderr
    assert run("list") == "KEY\n"

    run("put", "OTHER", "--force", stdin=b"kept")
    assert run("get", "OTHER") == "kept\n"


def test_what_is_there_is_listed_and_deleted_without_any_key(
    seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("put", "KEY", "--create-bucket", stdin=b"value")
    seed_file.unlink()

    assert run("list") == "KEY\n"
    monkeypatch.delenv("ENCRYPTION_XKEY_SEED_FILE")

    assert run("history", "KEY").count("put") == 1
    run("delete", "KEY", "--yes")
    assert run("list") == ""
    assert not seed_file.exists()
