"""What the verifier relies on in PyJWT and libsodium, pinned so that an update cannot undo it."""

from __future__ import annotations

import json

import jwt
import pytest
from jwt.exceptions import (
    DecodeError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    PyJWTError,
)

from adapters.crypto.ed25519_jws import Ed25519Algorithm, new_jws, verified_payload
from adapters.crypto.nkeys_text import KeyKind, decode_public
from adapters.crypto.token_signer import SigningKey
from tests.unit.adapters.crypto.forging import CLAIMS, HEADER, ISSUER, claims, sign

KEY = decode_public(ISSUER.public)[1]


def test_a_signed_token_gives_its_exact_payload() -> None:
    assert verified_payload(new_jws(), sign(), KEY) == json.dumps(CLAIMS).encode()


def test_the_private_instance_knows_one_algorithm() -> None:
    assert new_jws().get_algorithms() == ["Ed25519"]


def test_nothing_is_registered_for_anybody_else() -> None:
    new_jws()

    with pytest.raises(NotImplementedError):
        jwt.get_algorithm_by_name("Ed25519")
    with pytest.raises(InvalidAlgorithmError):
        jwt.decode(sign(), KEY, algorithms=["Ed25519"])


@pytest.mark.parametrize("alg", ["none", "HS256", "EdDSA", "ed25519"])
def test_another_algorithm_is_refused(alg: str) -> None:
    with pytest.raises(InvalidAlgorithmError):
        verified_payload(new_jws(), sign(header={**HEADER, "alg": alg}), KEY)


def test_another_keys_signature_is_an_invalid_signature() -> None:
    with pytest.raises(InvalidSignatureError):
        verified_payload(new_jws(), sign(key=SigningKey(KeyKind.ACCOUNT, b"x" * 32)), KEY)


def test_times_are_not_judged() -> None:
    expired = claims(exp=1, nbf=2**63, iat=2**63, aud="another service")

    assert verified_payload(new_jws(), sign(expired), KEY) == json.dumps(expired).encode()


def test_an_unencoded_payload_is_refused() -> None:
    header = {**HEADER, "b64": False, "crit": ["b64"]}

    with pytest.raises(PyJWTError):
        verified_payload(new_jws(), sign(header=header), KEY)
    with pytest.raises(PyJWTError):
        verified_payload(new_jws(), sign(b"", header=header), KEY)


def test_an_unknown_critical_header_is_refused() -> None:
    with pytest.raises(PyJWTError):
        verified_payload(new_jws(), sign(header={**HEADER, "crit": ["x"], "x": 1}), KEY)


@pytest.mark.parametrize("token", ["", "a.b", "!.!.!", "\u00e4.\u00e4.\u00e4", "...", "a.b.c.d"])
def test_what_is_no_token_is_a_decode_error(token: str) -> None:
    with pytest.raises(DecodeError):
        verified_payload(new_jws(), token, KEY)


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\0"])
def test_a_key_of_the_wrong_size_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        verified_payload(new_jws(), sign(), key)


def test_the_algorithm_only_verifies() -> None:
    algorithm = Ed25519Algorithm()

    with pytest.raises(InvalidKeyError, match="token_signer"):
        algorithm.sign(b"message", KEY)
    with pytest.raises(InvalidKeyError, match="nkeys"):
        algorithm.to_jwk(KEY)
    with pytest.raises(InvalidKeyError, match="nkeys"):
        algorithm.from_jwk("{}")


@pytest.mark.parametrize("size", [0, 63, 65, 128])
def test_a_signature_has_exactly_64_bytes(size: int) -> None:
    signature = ISSUER.sign(b"message")

    assert Ed25519Algorithm().verify(b"message", KEY, signature)
    assert not Ed25519Algorithm().verify(b"message", KEY, (signature * 2)[:size])
    # Bytes moved from the message into the signature must not be made up for.
    assert not Ed25519Algorithm().verify(b"essage", KEY, signature + b"m")
