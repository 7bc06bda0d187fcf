"""Keys and tokens at the command line."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from adapters.crypto.inspection import describe_key
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from bootstrap.cli import app
from bootstrap.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)


@pytest.fixture
def issuer(tmp_path: Path) -> SigningKey:
    key = SigningKey.generate(KeyKind.ACCOUNT)
    (tmp_path / "issuer.seed").write_text(key.seed_text() + "\n")
    return key


def test_the_version_is_shown() -> None:
    assert run("--version").output == f"{__version__}\n"


@pytest.mark.parametrize("kind", ["xkey", "account", "component", "provider", "host", "user"])
def test_a_new_key_is_of_the_kind_asked_for(kind: str) -> None:
    lines = dict(line.split(": ") for line in run("keys", "generate", kind).output.splitlines())

    described = describe_key(lines["seed"])
    assert (described.kind.name.lower(), described.public) == (kind, lines["public"])


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("X", KeyKind.XKEY),
        ("a", KeyKind.ACCOUNT),
        ("M", KeyKind.COMPONENT),
        ("V", KeyKind.PROVIDER),
        ("n", KeyKind.HOST),
        ("U", KeyKind.USER),
        ("curve", KeyKind.XKEY),
        ("Module", KeyKind.COMPONENT),
        ("service", KeyKind.PROVIDER),
        ("SERVER", KeyKind.HOST),
    ],
)
def test_a_kind_may_be_a_letter_or_the_word_that_nkeys_has_for_it(word: str, kind: KeyKind) -> None:
    lines = dict(line.split(": ") for line in run("keys", "generate", word).output.splitlines())

    assert describe_key(lines["seed"]).kind is kind


def test_a_kind_that_nobody_needs_is_refused_with_those_there_are() -> None:
    result = run("keys", "generate", "operator")

    assert result.exit_code == 2
    assert "component (M)" in result.stderr


@pytest.mark.parametrize(
    ("word", "kind"), [("N", "host"), ("service", "provider"), ("component", "component")]
)
def test_a_tokens_new_subject_is_of_the_kind_asked_for(
    issuer: SigningKey, tmp_path: Path, word: str, kind: str
) -> None:
    seed_file = str(tmp_path / "issuer.seed")

    token = run("token", "sign", "--issuer-seed-file", seed_file, "--kind", word).output.strip()

    assert json.loads(run("token", "inspect", token).output)["kind"] == kind


def test_no_token_is_for_an_account(issuer: SigningKey, tmp_path: Path) -> None:
    seed_file = str(tmp_path / "issuer.seed")

    result = run("token", "sign", "--issuer-seed-file", seed_file, "--kind", "A")

    assert result.exit_code == 2
    assert "provider (V)" in result.stderr


def test_a_new_seed_goes_to_a_file_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.seed"

    result = run("keys", "generate", "xkey", "--out", str(path))

    seed = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert describe_key(seed).public in result.output
    assert seed not in result.output


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "old.seed"
    path.write_text("precious")

    result = run("keys", "generate", "xkey", "--out", str(path))

    assert (result.exit_code, path.read_text()) == (2, "precious")
    assert "exists already" in result.stderr


def test_a_seed_is_inspected_without_showing_it(issuer: SigningKey) -> None:
    result = run("keys", "inspect", stdin=issuer.seed_text())

    assert result.output == f"kind: account (seed)\npublic: {issuer.public}\n"


def test_a_text_that_is_no_key_is_refused_in_one_line() -> None:
    result = run("keys", "inspect", "canary")

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "canary" not in result.stderr


def test_a_signed_token_says_what_it_was_given(tmp_path: Path, issuer: SigningKey) -> None:
    subject = SigningKey.generate(KeyKind.PROVIDER).public
    token = run(
        *("token", "sign", "--issuer-seed-file", str(tmp_path / "issuer.seed")),
        *("--subject", subject, "--name", "mailer", "--expires-in", "60"),
    ).output

    result = run("token", "inspect", stdin=token)

    shown = json.loads(result.output)
    assert result.exit_code == 0
    assert (shown["verdict"], shown["times"]) == ("good_signature", "valid")
    assert (shown["claims"]["iss"], shown["claims"]["sub"]) == (issuer.public, subject)
    assert shown["claims"]["exp"] == shown["claims"]["iat"] + 60
    assert shown["claims"]["wascap"] == {"name": "mailer"}


@pytest.mark.parametrize("kind", ["component", "provider", "host"])
def test_a_token_without_a_subject_gets_a_new_one(
    tmp_path: Path, issuer: SigningKey, kind: str
) -> None:
    token = run(
        "token", "sign", "--issuer-seed-file", str(tmp_path / "issuer.seed"), "--kind", kind
    ).output

    shown = json.loads(run("token", "inspect", stdin=token).output)
    assert (shown["kind"], shown["claims"]["iss"]) == (kind, issuer.public)


def test_a_token_that_is_not_valid_yet_fails_inspection(tmp_path: Path, issuer: SigningKey) -> None:
    del issuer
    token = run(
        *("token", "sign", "--issuer-seed-file", str(tmp_path / "issuer.seed")),
        *("--not-before-in", "3600"),
    ).output

    result = run("token", "inspect", stdin=token)

    assert result.exit_code == 1
    assert json.loads(result.output)["times"] == "not_yet_valid"


def test_a_text_that_is_no_token_fails_inspection() -> None:
    result = run("token", "inspect", "canary")

    assert result.exit_code == 1
    assert json.loads(result.output)["verdict"] == "bad_token"


def test_only_an_account_signs(tmp_path: Path) -> None:
    path = tmp_path / "user.seed"
    path.write_text(SigningKey.generate(KeyKind.USER).seed_text())

    result = run("token", "sign", "--issuer-seed-file", str(path))

    assert result.exit_code == 2
    assert "account" in result.stderr


def test_a_seed_file_that_is_missing_is_named_by_its_role() -> None:
    result = run("token", "sign", "--issuer-seed-file", "/no/such/file")

    assert result.exit_code == 2
    assert "issuer's seed" in result.stderr
