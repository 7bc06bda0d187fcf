"""Tokens signed as wascap signs them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.token_verifier import WascapTokenVerifier
from domain.model.identity import IdentityKind
from tests.unit.adapters.crypto.forging import COMPONENT, HOST, ISSUER, PROVIDER

SIGNING_KINDS = [kind for kind in KeyKind if kind is not KeyKind.XKEY]


def test_a_token_has_wascaps_exact_form() -> None:
    token = sign_token(
        ISSUER,
        COMPONENT,
        token_id="4Bz",
        issued_at=100,
        expires_at=300,
        not_before=200,
        metadata={"name": "p\u00e4ss", "hash": "00", "tags": [], "rev": 1, "prov": False},
    )

    header, payload, signature = (base64url.decode(segment) for segment in token.split("."))

    assert header == b'{"typ":"jwt","alg":"Ed25519"}'
    assert payload.decode() == (
        f'{{"exp":300,"jti":"4Bz","iat":100,"iss":"{ISSUER.public}","sub":"{COMPONENT}","nbf":200,'
        '"wascap":{"name":"p\u00e4ss","hash":"00","tags":[],"rev":1,"prov":false},'
        '"wascap_revision":3}'
    )
    message = token.rpartition(".")[0].encode()
    VerifyKey(decode_public(ISSUER.public)[1]).verify(message, signature)


def test_members_that_are_not_given_are_left_out() -> None:
    token = sign_token(ISSUER, HOST, token_id="1", issued_at=0)

    members = json.loads(base64url.decode(token.split(".")[1]))

    assert list(members) == ["jti", "iat", "iss", "sub", "wascap_revision"]


@given(
    st.sampled_from([COMPONENT, PROVIDER, HOST]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.integers(0, 2**64 - 1),
    st.none() | st.integers(0, 2**64 - 1),
)
def test_what_is_signed_is_verified_and_read_back(
    subject: str, name: str, issued_at: int, expires_at: int | None
) -> None:
    token = sign_token(
        ISSUER,
        subject,
        token_id=name,
        issued_at=issued_at,
        expires_at=expires_at,
        metadata={"name": name},
    )

    found = WascapTokenVerifier().verify(token, frozenset(IdentityKind))

    assert (found.subject, found.issuer) == (subject, ISSUER.public)
    assert (found.token_id, found.name) == (name, name)
    assert (found.issued_at, found.expires_at) == (issued_at, expires_at)


@pytest.mark.parametrize("kind", [kind for kind in SIGNING_KINDS if kind is not KeyKind.ACCOUNT])
def test_only_an_account_issues_tokens(kind: KeyKind) -> None:
    with pytest.raises(InvalidNKeyError, match="account"):
        sign_token(SigningKey.generate(kind), COMPONENT, token_id="1", issued_at=0)


@pytest.mark.parametrize("subject", ["", "component", ISSUER.public, COMPONENT.lower()])
def test_a_token_is_only_for_a_component_a_provider_or_a_host(subject: str) -> None:
    with pytest.raises(InvalidNKeyError):
        sign_token(ISSUER, subject, token_id="1", issued_at=0)


@pytest.mark.parametrize("kind", SIGNING_KINDS)
def test_a_generated_key_comes_back_from_its_seed(kind: KeyKind) -> None:
    key = SigningKey.generate(kind)

    again = SigningKey.from_seed(key.seed_text(), kind)

    assert (again.kind, again.public, key.public[0]) == (kind, key.public, kind.value)
    assert again.sign(b"message") == key.sign(b"message")
    assert SigningKey.generate(kind).public != key.public


def test_a_seed_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidNKeyError, match="account"):
        SigningKey.from_seed(SigningKey.generate(KeyKind.USER).seed_text(), KeyKind.ACCOUNT)


def test_an_xkey_cannot_sign() -> None:
    with pytest.raises(InvalidNKeyError, match="cannot sign"):
        SigningKey.generate(KeyKind.XKEY)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_has_exactly_32_secret_bytes(size: int) -> None:
    with pytest.raises(InvalidNKeyError, match="32"):
        SigningKey(KeyKind.ACCOUNT, bytes(size))


def test_the_secret_half_leaves_only_by_its_own_method() -> None:
    key = SigningKey.generate(KeyKind.ACCOUNT)

    for shown in (repr(key), str(key), f"{key}", repr([key])):
        assert key.public in shown
        assert key.seed_text() not in shown
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(key)
