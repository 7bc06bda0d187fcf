"""Tokens that mean to be taken for something they are not."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind, decode_public, encode_public
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.token_verifier import WascapTokenVerifier
from domain.model.identity import IdentityKind
from tests.unit.adapters.crypto.forging import (
    CLAIMS,
    COMPONENT,
    HEADER,
    HOST,
    ISSUER,
    account,
    claims,
    sign,
)
from tests.unit.adapters.crypto.refused_tokens import EVERY_KIND, reason


def test_the_untouched_token_is_accepted() -> None:
    assert WascapTokenVerifier().verify(sign(), EVERY_KIND).subject == COMPONENT


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": alg}
        for alg in ("none", "None", "EdDSA", "ed25519", "ED25519", "HS256", "", None, ["Ed25519"])
    ]
    + [{**HEADER, "typ": typ} for typ in ("JWT", "Jwt", "", None, 1)]
    + [{"typ": "jwt"}, {"alg": "Ed25519"}, {}]
    + [
        {**HEADER, "crit": []},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": True},
        {**HEADER, "b64": False, "crit": ["b64"]},
        {**HEADER, "kid": "1"},
        {**HEADER, "jwk": {"kty": "OKP"}},
        {**HEADER, "jku": "http://localhost/keys"},
        {**HEADER, "zip": "DEF"},
    ],
)
def test_a_properly_signed_token_under_any_other_header_is_a_bad_token(
    header: dict[str, Any],
) -> None:
    assert reason(sign(header=header)) == "bad_token"


@pytest.mark.parametrize("alg", ["none", "Ed25519"])
def test_an_unsigned_token_is_a_bad_token(alg: str) -> None:
    message = sign(header={"typ": "jwt", "alg": alg}).rpartition(".")[0]

    for token in (message, f"{message}."):
        assert reason(token) == "bad_token"


def test_a_public_key_is_no_shared_secret() -> None:
    raw = decode_public(ISSUER.public)[1]
    for alg in ("HS256", "Ed25519"):
        header = base64url.encode(json.dumps({"typ": "jwt", "alg": alg}).encode())
        message = f"{header}.{base64url.encode(json.dumps(CLAIMS).encode())}"
        for secret in (raw, ISSUER.public.encode()):
            mac = hmac.new(secret, message.encode(), hashlib.sha256).digest()
            for signature in (mac, mac + mac):
                assert reason(f"{message}.{base64url.encode(signature)}") in (
                    ("bad_signature",)
                    if len(signature) == 64 and alg == "Ed25519"
                    else ("bad_token",)
                )


def test_the_signature_counts_under_the_issuer_and_no_other_key() -> None:
    subject_key = SigningKey(KeyKind.COMPONENT, b"m" * 32)
    stranger = SigningKey(KeyKind.ACCOUNT, b"s" * 32)

    assert reason(sign(key=subject_key)) == "bad_signature"
    assert reason(sign(key=stranger)) == "bad_signature"
    assert (
        WascapTokenVerifier()
        .verify(sign(claims(iss=stranger.public), key=stranger), EVERY_KIND)
        .issuer
        == stranger.public
    )


def test_a_signature_does_not_move_to_other_claims() -> None:
    signature = sign().rpartition(".")[2]
    message = sign(claims(sub=HOST)).rpartition(".")[0]

    assert reason(f"{message}.{signature}") == "bad_signature"


def test_a_malleable_signature_is_refused() -> None:
    message, _, signature = sign().rpartition(".")
    raw = base64url.decode(signature)
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(raw[32:], "little") + order
    again = base64url.encode(raw[:32] + scalar.to_bytes(32, "little"))

    assert reason(f"{message}.{again}") == "bad_signature"


@pytest.mark.parametrize("point", [0, 1, 2**255 - 20, 2**255 - 18, 2**255 + 1])
def test_a_low_order_issuer_signs_nothing(point: int) -> None:
    raw = point.to_bytes(32, "little")
    message = sign(claims(iss=account(raw))).rpartition(".")[0]

    # Under such a key, verification without a check of its order accepts this for any message.
    for nonce_point in (raw, (1).to_bytes(32, "little")):
        assert reason(f"{message}.{base64url.encode(nonce_point + bytes(32))}") == "bad_signature"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (COMPONENT, frozenset({IdentityKind.HOST})),
        (COMPONENT, frozenset({IdentityKind.PROVIDER})),
        (HOST, frozenset({IdentityKind.COMPONENT, IdentityKind.PROVIDER})),
        (HOST, frozenset[IdentityKind]()),
    ],
)
def test_a_token_does_not_serve_in_another_role(
    subject: str, expected: frozenset[IdentityKind]
) -> None:
    assert reason(sign(claims(sub=subject)), expected) == "bad_token"


@pytest.mark.parametrize("kind", [KeyKind.ACCOUNT, KeyKind.USER, KeyKind.XKEY, KeyKind.OPERATOR])
def test_a_subject_of_any_other_kind_is_a_bad_token(kind: KeyKind) -> None:
    assert reason(sign(claims(sub=encode_public(kind, b"k" * 32)))) == "bad_token"


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind is not KeyKind.ACCOUNT])
def test_an_issuer_of_any_other_kind_is_a_bad_token(kind: KeyKind) -> None:
    raw = decode_public(ISSUER.public)[1]

    assert reason(sign(claims(iss=encode_public(kind, raw)))) == "bad_token"


def test_the_identity_is_the_subject_and_never_the_token_id() -> None:
    other = encode_public(KeyKind.COMPONENT, b"o" * 32)

    found = WascapTokenVerifier().verify(sign(claims(jti=other)), EVERY_KIND)

    assert found.subject == COMPONENT
    assert found.token_id == other
