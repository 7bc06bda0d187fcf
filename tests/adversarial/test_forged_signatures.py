"""Signatures, algorithms and spellings that are to pass for those of a good token."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind, decode_public, encode_public
from tests.adversarial.defended_core import (
    ENTITY_TOKEN,
    PROVIDER,
    STRANGER,
    TEAM,
    DefendedCore,
    message,
)
from tests.adversarial.forged_tokens import claims, refused_entity, signed


async def test_a_lifted_signature_does_not_cover_other_claims(core: DefendedCore) -> None:
    signature = ENTITY_TOKEN.rpartition(".")[2]
    altered = signed(claims(sub=PROVIDER), key=STRANGER).rpartition(".")[0]

    assert await refused_entity(core, f"{altered}.{signature}") == "bad_signature"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt", "alg": "none"},
        {"typ": "jwt", "alg": "HS256"},
        {"typ": "jwt", "alg": "EdDSA"},
        {"typ": "jwt", "alg": "ed25519"},
        {"typ": "jwt", "alg": ["Ed25519"]},
        {"typ": "jwt", "alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "Ed25519"}},
        {"typ": "jwt", "alg": "Ed25519", "kid": STRANGER.public},
        {"typ": "jwt", "alg": "Ed25519", "crit": []},
        {"typ": "jwt", "alg": "Ed25519", "b64": False, "crit": ["b64"]},
        {"typ": "JWT", "alg": "Ed25519"},
        {"alg": "Ed25519"},
    ],
    ids=json.dumps,
)
async def test_games_with_the_algorithm_are_refused_under_a_good_signature(
    core: DefendedCore, header: dict[str, Any]
) -> None:
    assert await refused_entity(core, signed(claims(), header)) == "bad_token"


async def test_an_unsigned_token_is_refused(core: DefendedCore) -> None:
    unsigned = signed(claims(), {"typ": "jwt", "alg": "none"}).rpartition(".")[0]

    for entity in (unsigned, f"{unsigned}.", f"{unsigned}.AA", f"{unsigned}..", f".{unsigned}"):
        assert await refused_entity(core, entity) == "bad_token"


async def test_the_public_key_as_shared_secret_is_refused(core: DefendedCore) -> None:
    text = signed(claims()).rpartition(".")[0]
    for secret in (decode_public(TEAM.public)[1], TEAM.public.encode()):
        digest = hmac.new(secret, text.encode(), hashlib.sha512).digest()
        assert await refused_entity(core, f"{text}.{base64url.encode(digest)}") == "bad_signature"


@pytest.mark.parametrize("point", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
async def test_a_low_order_issuer_that_every_signature_fits_is_refused(
    core: DefendedCore, point: int
) -> None:
    issuer = encode_public(KeyKind.ACCOUNT, point.to_bytes(32, "little"))
    text = signed(claims(iss=issuer)).rpartition(".")[0]
    for signature in (bytes(64), b"\1" + bytes(63), point.to_bytes(32, "little") + bytes(32)):
        forged = f"{text}.{base64url.encode(signature)}"
        assert await refused_entity(core, forged) in {"bad_signature", "bad_token"}


async def test_a_malleable_signature_is_refused(core: DefendedCore) -> None:
    text, _, signature = ENTITY_TOKEN.rpartition(".")
    plain = base64url.decode(signature)
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = (int.from_bytes(plain[32:], "little") + order).to_bytes(32, "little")

    assert await refused_entity(core, f"{text}.{base64url.encode(plain[:32] + scalar)}")


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace(".", ".\r\n", 1),
        lambda text: text.replace(".", " .", 1),
        lambda text: text.replace(".", "..", 1),
        lambda text: "Bearer " + text,
        lambda text: text + "\0",
        lambda text: text + "." + text,
        lambda text: text.replace("e", "\uff45", 1),
        lambda text: text.replace("J", "J*", 1),
        lambda text: "\ufeff" + text,
    ],
)
async def test_padding_whitespace_and_look_alikes_do_not_pass_a_good_token(
    core: DefendedCore, spell: Any
) -> None:
    await core.ask(message())
    core.store.queries.clear()

    assert await refused_entity(core, spell(ENTITY_TOKEN)) == "bad_token"


async def test_a_tail_with_bits_of_no_byte_is_another_spelling_and_refused(
    core: DefendedCore,
) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(ENTITY_TOKEN[-1])
    respelled = ENTITY_TOKEN[:-1] + alphabet[last ^ 1]

    assert await refused_entity(core, respelled) == "bad_token"
