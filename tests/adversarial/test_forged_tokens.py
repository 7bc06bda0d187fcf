"""Tokens minted, lifted, altered, shown in another role or dressed up as something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.token_signer import SigningKey
from domain.model.access import AnyValidEntity
from domain.model.errors import InvalidEntityJwt, InvalidHostJwt, Unauthorized
from domain.model.secret import Secret
from tests.adversarial.defended_core import (
    COMPONENT,
    ENTITY_TOKEN,
    HOST,
    HOST_TOKEN,
    INPUT,
    ISSUED_AT,
    PROVIDER,
    STRANGER,
    TEAM,
    DefendedCore,
    LogText,
    message,
    token,
)
from tests.adversarial.forged_tokens import HEADER, claims, refused_entity, signed


def raw(header: bytes, payload: bytes, key: SigningKey = TEAM) -> str:
    """Sign any bytes as they are."""
    text = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{text}.{base64url.encode(key.sign(text.encode()))}"


async def test_the_untouched_request_is_answered(core: DefendedCore) -> None:
    assert isinstance(await core.ask(message()), Secret)


async def test_a_minted_token_is_valid_and_opens_nothing_where_issuers_are_listed(
    core: DefendedCore,
) -> None:
    minted = token(COMPONENT, SigningKey.generate(KeyKind.ACCOUNT))

    assert isinstance(await core.ask(message(entity_jwt=minted)), Unauthorized)
    assert core.record["reason"] == "issuer_not_trusted"
    assert core.fetches == 0


async def test_a_minted_token_opens_everything_where_no_issuer_is_listed(log: LogText) -> None:
    """Not stopped, by design of the protocol: SECURITY.md and the start warning say so."""
    core = DefendedCore(log, access=AnyValidEntity())
    minted = token(COMPONENT, SigningKey.generate(KeyKind.ACCOUNT))

    assert isinstance(await core.ask(message(entity_jwt=minted)), Secret)


async def test_a_token_lifted_from_an_artifact_works_for_whoever_may_ask(
    core: DefendedCore,
) -> None:
    """Not stopped: the token lies in the artifact. Only NATS decides who may ask at all."""
    thief = message(entity_jwt=ENTITY_TOKEN, host_jwt=token(HOST, STRANGER))

    assert isinstance(await core.ask(thief), Secret)


async def test_a_host_token_authenticates_nobody(core: DefendedCore) -> None:
    """Anybody mints one, as hosts themselves do at each start."""
    anybody = SigningKey.generate(KeyKind.ACCOUNT)
    made_up = token(SigningKey.generate(KeyKind.HOST).public, anybody)

    assert isinstance(await core.ask(message(host_jwt=made_up)), Secret)


async def test_a_stranger_naming_the_trusted_issuer_is_found_out(core: DefendedCore) -> None:
    assert await refused_entity(core, signed(claims(), key=STRANGER)) == "bad_signature"


async def test_a_token_naming_its_own_subject_as_issuer_is_refused(core: DefendedCore) -> None:
    component = SigningKey(KeyKind.COMPONENT, b"m" * 32)

    for issuer in (component.public, HOST, PROVIDER, "", None, [TEAM.public], {"": ""}):
        entity = signed(claims(iss=issuer), key=component)
        assert await refused_entity(core, entity) == "bad_token"


@pytest.mark.parametrize("subject", [COMPONENT, PROVIDER])
async def test_a_component_or_provider_token_is_no_host_token(
    core: DefendedCore, subject: str
) -> None:
    assert isinstance(await core.ask(message(host_jwt=token(subject))), InvalidHostJwt)


async def test_a_trusted_issuers_host_token_is_no_entity_token(core: DefendedCore) -> None:
    assert await refused_entity(core, token(HOST, TEAM)) == "bad_token"


async def test_swapped_tokens_are_refused_even_after_both_were_verified(
    core: DefendedCore,
) -> None:
    assert isinstance(await core.ask(message()), Secret)

    swapped = message(entity_jwt=HOST_TOKEN, host_jwt=ENTITY_TOKEN)

    assert isinstance(await core.ask(swapped), InvalidEntityJwt)


@pytest.mark.parametrize("kind", [KeyKind.ACCOUNT, KeyKind.USER, KeyKind.OPERATOR, KeyKind.XKEY])
async def test_a_token_for_a_key_of_another_kind_is_refused(
    core: DefendedCore, kind: KeyKind
) -> None:
    entity = signed(claims(sub=encode_public(kind, b"m" * 32)))

    assert await refused_entity(core, entity) == "bad_token"


async def test_the_token_id_is_no_identity(core: DefendedCore) -> None:
    posing = token(COMPONENT, STRANGER, token_id=TEAM.public)

    assert isinstance(await core.ask(message(entity_jwt=posing)), Unauthorized)
    assert core.record["issuer"] == STRANGER.public


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"%s","iss":"%s","sub":"%s","iat":1,"jti":"a"}',
        b'{"iss":"%s","sub":"%s","\\u0073ub":"%s","iat":1,"jti":"a"}',
    ],
)
async def test_a_claim_named_twice_is_refused(core: DefendedCore, payload: bytes) -> None:
    twice = payload % (TEAM.public.encode(), TEAM.public.encode(), COMPONENT.encode())

    assert await refused_entity(core, raw(json.dumps(HEADER).encode(), twice)) == "bad_token"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 2**64},
        {"exp": 10**400},
        {"exp": -1},
        {"exp": "4102444800"},
        {"exp": 4102444800.5},
        {"exp": True},
        {"exp": [4102444800]},
        {"iat": -1},
        {"iat": None},
        {"iat": ...},
        {"nbf": -(2**63)},
        {"nbf": {}},
        {"jti": 1},
        {"jti": ...},
        {"sub": ...},
        {"sub": [COMPONENT]},
        {"iss": ...},
        {"wascap": []},
        {"wascap": "{}"},
        {"wascap": 1},
        {"jti": "\ud800"},
    ],
    ids=repr,
)
async def test_claims_of_the_wrong_type_or_range_are_refused(
    core: DefendedCore, changes: dict[str, Any]
) -> None:
    payload = json.dumps(claims(**changes)).encode()

    assert await refused_entity(core, raw(json.dumps(HEADER).encode(), payload)) == "bad_token"


async def test_the_longest_time_there_is_does_no_harm(core: DefendedCore) -> None:
    assert isinstance(await core.ask(message(entity_jwt=token(expires_at=2**64 - 1))), Secret)


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"expires_at": 0}, "expired"),
        ({"expires_at": ISSUED_AT}, "expired"),
        ({"not_before": 2**64 - 1}, "not_yet_valid"),
        ({"issued_at": 1_800_000_006}, "issued_ahead"),
        ({"issued_at": 1_800_003_600}, "issued_ahead"),
        ({"issued_at": 2**64 - 1}, "issued_ahead"),
    ],
)
async def test_a_token_out_of_its_time_is_refused_though_its_signature_was_seen_to_hold(
    core: DefendedCore, times: dict[str, Any], reason: str
) -> None:
    for _ in range(2):
        assert await refused_entity(core, token(**times)) == reason


async def test_nested_claims_do_not_shadow_the_ones_that_count(core: DefendedCore) -> None:
    posing = signed(
        {**claims(iss=STRANGER.public), "wascap": {"iss": TEAM.public, "sub": PROVIDER}},
        key=STRANGER,
    )

    assert isinstance(await core.ask(message(entity_jwt=posing)), Unauthorized)
    assert core.record["issuer"] == STRANGER.public


async def test_metadata_floods_no_record(core: DefendedCore) -> None:
    flood = token(
        metadata={"name": "n" * 2000, "tags": ["t" * 100] * 20, "ver": "v" * 1500, "rev": 2**31}
    )

    assert isinstance(await core.ask(message(entity_jwt=flood)), Secret)
    assert len(json.dumps(core.record)) < 8192


@pytest.mark.parametrize("size", [0, 1, 8 * 1024 + 1, 12_000])
async def test_a_token_of_an_absurd_length_is_refused(core: DefendedCore, size: int) -> None:
    assert await refused_entity(core, ("." * size)[:size]) == "bad_token"


async def test_a_refused_tokens_words_reach_neither_log_nor_reply(core: DefendedCore) -> None:
    told = signed(claims(jti=INPUT, iss=INPUT, sub=INPUT))

    answer = await core.ask(message(entity_jwt=told))

    assert isinstance(answer, InvalidEntityJwt)
    assert INPUT not in answer.advice
    assert "token_id" not in core.record
