"""The nats-auth commands: what they write, and what they refuse."""

from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from bootstrap.cli import nats_auth

if TYPE_CHECKING:
    from pathlib import Path

_SEED = re.compile(r"S[OAU][A-Z2-7]{56}")


def run(*words: str) -> Result:
    result = CliRunner().invoke(nats_auth.app, list(words))
    assert "Traceback" not in result.output
    assert not _SEED.search(result.output)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "auth"
    assert run("init", str(folder), "--lattice", "default", "--lattice", "prod").exit_code == 0
    return folder


def claims(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return decoded


def accounts(folder: Path) -> dict[str, dict[str, Any]]:
    text = (folder / "nats-auth.conf").read_text()
    read = [claims(token) for token in re.findall(r"^  A[A-Z2-7]{55}: (\S+)$", text, re.MULTILINE)]
    return {account["name"]: account for account in read}


def test_keys_and_logins_are_for_their_owner_alone_and_the_configuration_holds_no_seed(
    folder: Path,
) -> None:
    secret = [*(folder / "keys").iterdir(), *(folder / "creds").iterdir()]

    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert all(_SEED.search(path.read_text()) for path in secret if path.suffix != ".jwt")
    assert not _SEED.search((folder / "nats-auth.conf").read_text())
    assert not _SEED.search((folder / "names.json").read_text())


def test_every_lattice_has_an_account_and_imports_the_two_subjects_with_an_activation(
    folder: Path,
) -> None:
    found = accounts(folder)
    secrets = found["SECRETS"]

    assert set(found) == {"SYS", "SECRETS", "OPERATORS", "LATTICE_DEFAULT", "LATTICE_PROD"}
    assert all(export["token_req"] for export in secrets["nats"]["exports"])
    for name in ("LATTICE_DEFAULT", "LATTICE_PROD"):
        imports = found[name]["nats"]["imports"]
        assert [each["subject"].rpartition(".")[2] for each in imports] == ["server_xkey", "get"]
        assert all(each["share"] for each in imports)
        activations = [claims(each["token"]) for each in imports]
        assert {a["sub"] for a in activations} == {found[name]["sub"]}
        assert {a["iss"] for a in activations} == {secrets["sub"]}


def test_each_user_is_signed_by_the_account_that_it_belongs_to(folder: Path) -> None:
    found = accounts(folder)
    for user, account in (
        ("service", "SECRETS"),
        ("operator", "OPERATORS"),
        ("auditor", "OPERATORS"),
        ("host-prod", "LATTICE_PROD"),
        ("lattice-default", "LATTICE_DEFAULT"),
    ):
        lines = (folder / "creds" / f"{user}.creds").read_text().splitlines()
        token = claims(lines[1])
        seed = next(line for line in lines if _SEED.fullmatch(line))
        assert token["iss"] == found[account]["sub"]
        assert token["sub"] == SigningKey.from_seed(seed, KeyKind.USER).public
    assert (folder / "creds" / "host-prod.jwt").read_text().count(".") == 2


def test_a_folder_with_anything_in_it_is_left_as_it_is(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    result = run("init", str(folder))

    assert result.exit_code == 2
    assert "not empty" in result.output
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_lattice_can_be_added_once_and_changes_no_other_account(folder: Path) -> None:
    before = accounts(folder)

    assert run("add-lattice", str(folder), "late").exit_code == 0
    after = accounts(folder)
    again = run("add-lattice", str(folder), "Late")

    assert after.pop("LATTICE_LATE")["nats"]["imports"]
    assert after == before
    assert again.exit_code == 2
    assert "has the lattice late already" in again.output


@pytest.mark.parametrize("spoil", ["keys/operator.seed", "keys/SECRETS.seed", "names.json"])
def test_a_lattice_is_not_added_to_a_folder_that_lacks_a_part(folder: Path, spoil: str) -> None:
    config = (folder / "nats-auth.conf").read_bytes()
    (folder / spoil).unlink()

    result = run("add-lattice", str(folder), "late")

    assert result.exit_code == 2
    assert spoil in result.output
    assert (folder / "nats-auth.conf").read_bytes() == config
    assert not (folder / "keys" / "LATTICE_LATE.seed").exists()


def test_a_configuration_that_was_changed_by_hand_is_left_alone(folder: Path) -> None:
    config = folder / "nats-auth.conf"
    config.write_text(config.read_text() + "jetstream: enabled\n")

    result = run("add-lattice", str(folder), "late")

    assert result.exit_code == 2
    assert "changed by hand" in result.output
    assert not (folder / "keys" / "LATTICE_LATE.seed").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--lattice", "a.b"],
        ["--lattice", ">"],
        ["--lattice", ""],
        ["--lattice", "a-b", "--lattice", "a_b"],
        ["--prefix", "a b"],
        ["--backend", "*"],
        ["--bucket", "A.B"],
        ["--stream", "A B"],
    ],
)
def test_a_name_that_would_widen_a_permission_is_refused(
    tmp_path: Path, options: list[str]
) -> None:
    result = run("init", str(tmp_path / "auth"), *options)

    assert result.exit_code == 2
    assert not (tmp_path / "auth").exists()


@pytest.mark.parametrize("role", ["service", "host", "lattice", "operator", "auditor"])
def test_permissions_are_printed_for_names_of_ones_own(role: str) -> None:
    options = ["--lattice", "prod", "--prefix", "own.secrets", "--backend", "vault"]

    text = run("permissions", role, *options, "--bucket", "B1", "--stream", "S1").output

    assert text.startswith("permissions {\n")
    assert text.count("{") == text.count("}")
    for default in ("wasmcloud.secrets", "infisical", "WASMCLOUD_SECRETS", "SECRETS_AUDIT"):
        assert default not in text
    assert ("own.secrets.v1alpha1.vault.get" in text) == (role == "host")
    assert ("S1" in text) == (role in {"service", "auditor"})


def test_a_host_that_shares_its_account_publishes_to_no_inbox() -> None:
    alone = run("permissions", "host").output
    shared = run("permissions", "host", "--shared-account").output

    publish_alone, publish_shared = (text.split("subscribe")[0] for text in (alone, shared))
    assert '"_INBOX.>"' in publish_alone
    assert '"_INBOX.>"' not in publish_shared
    assert "wrpc" not in shared
