"""The keys that sign callers' logins: read, published, rotated."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import TYPE_CHECKING

import pytest

from adapters.vault.signing_keys import (
    JWKS_PATH,
    PEM_PATH,
    InvalidKeyFileError,
    KeyRing,
    parse_keys,
)
from ports.store_plugin import HttpRequest

if TYPE_CHECKING:
    from pathlib import Path

# RFC 8410, section 10.3: an example key; and RFC 8037, appendix A: key, JWK and thumbprint.
RFC_8410 = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n"
)
RFC_8410_PUBLIC = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
RFC_8037_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def pem(seed: bytes) -> str:
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    body = base64.b64encode(der).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def test_a_key_that_openssl_writes_is_read_and_published() -> None:
    (key,) = parse_keys(f"a remark\n{RFC_8410}")

    assert RFC_8410_PUBLIC in key.public_pem()


def test_the_key_id_is_the_thumbprint_of_the_public_key() -> None:
    (key,) = parse_keys(pem(RFC_8037_SEED))

    assert key.key_id == RFC_8037_THUMBPRINT
    assert key.jwk() == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": RFC_8037_THUMBPRINT,
        "alg": "EdDSA",
        "use": "sig",
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        RFC_8410.replace("PRIVATE", "PUBLIC"),
        RFC_8410.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        RFC_8410.replace("PRIVATE", "RSA PRIVATE"),
        RFC_8410.replace("MC4C", "MC5C"),
        RFC_8410.replace("VhC\n", "VhCAAAA\n"),
        RFC_8410.replace("VhC\n", "Vh\n"),
        RFC_8410 + "-----BEGIN PRIVATE KEY-----\n",
        RFC_8410 + RFC_8410,
        "".join(pem(bytes([n] * 32)) for n in range(9)),
    ],
)
def test_a_text_without_such_keys_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidKeyFileError) as refused:
        parse_keys(text)

    assert "MC4C" not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_key_shows_its_secret_half_nowhere() -> None:
    (key,) = parse_keys(pem(b"\x07" * 32))

    assert repr(key) == f"SigningKey({key.key_id})"
    for give_away in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            give_away(key)


async def test_all_keys_are_published_and_the_first_signs(tmp_path: Path) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(RFC_8410 + pem(RFC_8037_SEED), "utf-8")
    ring = KeyRing(file)
    routes = {route.path: route for route in ring.routes()}
    jwks = await routes[JWKS_PATH].handle(HttpRequest({}, b""))
    pems = await routes[PEM_PATH].handle(HttpRequest({}, b""))

    assert [key["kid"] for key in json.loads(jwks.body)["keys"]] == [k.key_id for k in ring.keys]
    assert ring.keys[1].key_id == RFC_8037_THUMBPRINT
    assert ring.signer is ring.keys[0]
    assert pems.body.decode() == "".join(key.public_pem() for key in ring.keys)
    assert b'"d"' not in jwks.body
    assert b"PRIVATE" not in pems.body
    assert all(route.method == "GET" for route in routes.values())


def test_keys_are_taken_up_on_reload_and_kept_if_the_file_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(RFC_8410, "utf-8")
    ring = KeyRing(file)
    former = ring.signer

    file.write_text("half a fi", "utf-8")
    ring.reload()
    assert ring.signer is former
    file.write_text(RFC_8410, "utf-8")
    ring.reload()
    assert ring.signer is former
    file.write_text(pem(RFC_8037_SEED) + RFC_8410, "utf-8")
    ring.reload()
    assert ring.signer.key_id == RFC_8037_THUMBPRINT
    assert [key.key_id for key in ring.keys][1] == former.key_id


@pytest.mark.parametrize("content", [None, b"", b"x" * (64 * 1024 + 1)])
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "keys.pem").write_bytes(content)

    with pytest.raises(InvalidKeyFileError):
        KeyRing(tmp_path / "keys.pem")
    assert (tmp_path / "keys.pem").exists() is (content is not None)
