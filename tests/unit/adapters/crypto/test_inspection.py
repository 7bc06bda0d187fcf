"""Tokens and keys described for a person, with nothing given away."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from adapters.crypto.inspection import KeyDescription, describe_key, describe_token
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, encode_public
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.identity import IdentityKind
from tests.unit.adapters.crypto.forging import CLAIMS, COMPONENT, HEADER, ISSUER, claims, sign


def test_a_good_token_is_described_with_its_claims() -> None:
    description = describe_token(sign())

    assert description.verdict == "good_signature"
    assert description.claims is not None
    assert description.claims.kind is IdentityKind.COMPONENT
    assert description.claims.subject == COMPONENT
    assert (description.header, description.document) == (HEADER, CLAIMS)
    assert description.problem is None


def test_a_forged_token_is_described_with_what_it_pretends() -> None:
    description = describe_token(sign(key=SigningKey(KeyKind.ACCOUNT, b"x" * 32)))

    assert description.verdict == "bad_signature"
    assert description.claims is not None
    assert description.claims.issuer == ISSUER.public


def test_a_malformed_token_is_described_as_far_as_it_can_be_read() -> None:
    header = {"typ": "jwt", "alg": "none"}

    description = describe_token(sign(claims(iat="now"), header=header))

    assert (description.verdict, description.claims) == ("bad_token", None)
    assert description.header == header
    assert description.document == claims(iat="now")
    assert "header" in (description.problem or "")


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "\ud800", "....", "A" * 100_000, sign(b"[]")]
)
def test_what_is_no_token_is_described_by_what_to_do(token: str) -> None:
    description = describe_token(token)

    assert (description.verdict, description.header) == ("bad_token", None)
    assert description.problem is not None


def test_a_description_cannot_be_used_in_the_tokens_place() -> None:
    token = sign()

    assert token.rpartition(".")[2] not in repr(asdict(describe_token(token)))


def test_a_public_key_is_described_by_its_kind() -> None:
    assert describe_key(COMPONENT) == KeyDescription(KeyKind.COMPONENT, COMPONENT, is_seed=False)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_seed_is_described_by_its_public_key_only(kind: KeyKind) -> None:
    pair = SodiumXKeyPair.generate() if kind is KeyKind.XKEY else SigningKey.generate(kind)

    description = describe_key(pair.seed_text())

    assert description == KeyDescription(kind, pair.public, is_seed=True)
    assert pair.seed_text() not in repr(description)


@pytest.mark.parametrize(
    "text", ["", "key", encode_public(KeyKind.XKEY, bytes(32)).lower(), "S" * 58, "\ud800" * 58]
)
def test_any_other_text_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidNKeyError) as caught:
        describe_key(text)

    assert caught.value.__context__ is None
    assert not text or text not in str(caught.value) or text == "key"
