"""Credentials become what nats-py takes; unusable ones are named without being shown."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import pytest
from nacl.signing import SigningKey
from pydantic import SecretStr

from adapters.crypto.nkeys_text import KeyKind, decode_seed, encode_public, encode_seed
from adapters.nats.credentials import CredentialsUnusableError, login_options
from adapters.nats.settings import NatsSettings

if TYPE_CHECKING:
    from pathlib import Path

URLS = ("nats://localhost",)


def user_seed() -> str:
    return encode_seed(KeyKind.USER, os.urandom(32))


def credentials(jwt: str, seed: str) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def assert_signs_as(seed: str, options: dict[str, Any]) -> None:
    signature = base64.b64decode(options["signature_cb"]("nonce"))
    _, raw = decode_seed(seed)
    SigningKey(raw).verify_key.verify(b"nonce", signature)


def test_without_credentials_there_are_no_options() -> None:
    assert login_options(NatsSettings(urls=URLS)) == {}


def test_user_and_password_and_token_are_passed_on() -> None:
    password = NatsSettings(urls=URLS, user="me", password=SecretStr("p"))

    assert login_options(password) == {"user": "me", "password": "p"}
    assert login_options(NatsSettings(urls=URLS, token=SecretStr("t"))) == {"token": "t"}


def test_a_seed_without_a_jwt_is_an_nkey(tmp_path: Path) -> None:
    seed = user_seed()
    (tmp_path / "seed").write_text(f"{seed}\n")

    for config in (
        NatsSettings(urls=URLS, nkey_seed=SecretStr(seed)),
        NatsSettings(urls=URLS, nkey_seed_file=tmp_path / "seed"),
    ):
        options = login_options(config)
        assert_signs_as(seed, options)
        _, raw = decode_seed(seed)
        public = encode_public(KeyKind.USER, bytes(SigningKey(raw).verify_key))
        assert options["public_nkey"] == public
        assert "user_jwt_cb" not in options


def test_a_seed_with_a_jwt_signs_for_it() -> None:
    seed = user_seed()
    options = login_options(
        NatsSettings(urls=URLS, nkey_seed=SecretStr(seed), user_jwt=SecretStr("eyJ.a.b"))
    )

    assert options["user_jwt_cb"]() == b"eyJ.a.b"
    assert_signs_as(seed, options)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_renewed_credentials_file_is_used_at_the_next_connect(
    tmp_path: Path, newline: str
) -> None:
    path = tmp_path / "user.creds"
    path.write_text(credentials("eyJ.old.x", user_seed()), newline=newline)
    options = login_options(NatsSettings(urls=URLS, credentials_file=path))
    assert options["user_jwt_cb"]() == b"eyJ.old.x"

    renewed = user_seed()
    path.write_text(credentials("eyJ.new.x", renewed), newline=newline)

    assert options["user_jwt_cb"]() == b"eyJ.new.x"
    assert_signs_as(renewed, options)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c4n4ry",
        credentials("eyJ", "c4n4ry"),
        credentials("eyJ", "SUc4n4ry"),
        credentials("", user_seed()),
        credentials("eyJ.c4n4ry.x", encode_seed(KeyKind.ACCOUNT, bytes(32))),
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_an_unusable_credentials_file_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "user.creds"
    path.write_text(text, "latin-1")

    with pytest.raises(CredentialsUnusableError) as failure:
        login_options(NatsSettings(urls=URLS, credentials_file=path))
    assert "NATS" in str(failure.value)
    assert "c4n4ry" not in str(failure.value)
    assert failure.value.__context__ is None


@pytest.mark.parametrize("seed", ["", "c4n4ry", "SU" + "A" * 56, "SUc4n4ry"])
def test_an_unusable_seed_in_a_file_is_not_shown(tmp_path: Path, seed: str) -> None:
    (tmp_path / "seed").write_text(seed)

    with pytest.raises(CredentialsUnusableError) as failure:
        login_options(NatsSettings(urls=URLS, nkey_seed_file=tmp_path / "seed"))
    assert "c4n4ry" not in str(failure.value)
    assert failure.value.__context__ is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_an_editor_or_a_download_adds_to_a_seed_is_dropped(
    tmp_path: Path, encoding: str
) -> None:
    seed = user_seed()
    plain, decorated, creds = (tmp_path / name for name in ("plain", "decorated", "user.creds"))
    plain.write_bytes(f"{seed}\r\n".encode(encoding))
    decorated.write_bytes(
        f"-----BEGIN USER NKEY SEED-----\r\n{seed}\r\n------END USER NKEY SEED------\r\n".encode(
            encoding
        )
    )
    creds.write_bytes(credentials("eyJ.a.x", seed).replace("\n", "\r\n").encode(encoding))

    logins = [
        login_options(NatsSettings(urls=URLS, **given))
        for given in (
            {"nkey_seed_file": plain},
            {"nkey_seed_file": decorated},
            {"credentials_file": creds},
        )
    ]

    assert len({login["signature_cb"]("nonce") for login in logins}) == 1


@pytest.mark.parametrize("setting", ["credentials_file", "nkey_seed_file"])
def test_a_file_that_has_gone_meanwhile_is_named(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "missing"
    path.touch()
    given: dict[str, Any] = {setting: path}
    settings = NatsSettings(urls=URLS, **given)
    path.unlink()

    with pytest.raises(CredentialsUnusableError, match="missing does not exist"):
        login_options(settings)
