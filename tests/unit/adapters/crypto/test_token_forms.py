"""Tokens of a form that no honest signer writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.crypto.wascap_token import MAX_TOKEN_LENGTH
from tests.unit.adapters.crypto.forging import CLAIMS, COMPONENT, HOST, ISSUER, claims, sign
from tests.unit.adapters.crypto.refused_tokens import reason


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": ...},
        {"jti": None},
        {"jti": 1},
        {"jti": "\ud800"},
        {"iat": ...},
        {"iat": None},
        {"iat": True},
        {"iat": 1.0},
        {"iat": "100"},
        {"iat": -1},
        {"iat": 2**64},
        {"iss": ...},
        {"iss": None},
        {"iss": 1},
        {"iss": [ISSUER.public]},
        {"iss": ISSUER.public.lower()},
        {"iss": ISSUER.public + "\n"},
        {"iss": ISSUER.public[:-1] + "\u212a"},
        {"sub": ...},
        {"sub": None},
        {"sub": [COMPONENT]},
        {"sub": f" {COMPONENT}"},
        {"exp": "1"},
        {"exp": True},
        {"exp": False},
        {"exp": 1.5},
        {"exp": 1e400},
        {"exp": -1},
        {"exp": 2**64},
        {"exp": 10**4000},
        {"exp": []},
        {"nbf": "1"},
        {"nbf": True},
        {"nbf": 2**64},
        {"wascap": []},
        {"wascap": "text"},
        {"wascap": 0},
        {"wascap": False},
    ],
)
def test_a_claim_that_is_missing_or_of_the_wrong_type_is_a_bad_token(
    changes: dict[str, Any],
) -> None:
    assert reason(sign(claims(**changes))) == "bad_token"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"\xff{}",
        b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode(),
        json.dumps(CLAIMS).encode("utf-16"),
        json.dumps(CLAIMS).encode() + b"{}",
        json.dumps(CLAIMS)[:-1].encode() + b', "exp": NaN}',
        json.dumps(CLAIMS)[:-1].encode() + b', "exp": ' + b"9" * 5000 + b"}",
        json.dumps(CLAIMS)[:-1].encode() + b', "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        json.dumps(CLAIMS)[:-1].encode() + b', "x": ' + b'{"x":' * 4000 + b"1" + b"}" * 4001,
    ],
    ids=lambda document: repr(document[:16]),
)
def test_a_payload_that_is_no_strict_json_object_is_a_bad_token(document: bytes) -> None:
    assert reason(sign(document)) == "bad_token"


@pytest.mark.parametrize(
    "extra", [{"sub": HOST}, {"iss": ISSUER.public}, {"exp": 1}, {"wascap": {}}]
)
def test_a_claim_named_twice_is_a_bad_token(extra: dict[str, Any]) -> None:
    document = json.dumps(claims(exp=4_000_000_000, wascap={}))[:-1]
    document += "," + json.dumps(extra)[1:]

    assert reason(sign(document.encode())) == "bad_token"


def test_a_header_member_named_twice_is_a_bad_token() -> None:
    assert reason(sign(header=b'{"typ":"jwt","alg":"none","alg":"Ed25519"}')) == "bad_token"


def test_metadata_named_twice_is_a_bad_token() -> None:
    document = json.dumps(CLAIMS)[:-1].encode() + b',"wascap":{"name":"a","name":"b"}}'

    assert reason(sign(document)) == "bad_token"


def test_a_token_beyond_the_bound_is_a_bad_token_however_well_it_is_signed() -> None:
    assert reason(sign(claims(wascap={"name": "n" * MAX_TOKEN_LENGTH}))) == "bad_token"


def test_a_segment_spelled_another_way_is_a_bad_token() -> None:
    header, payload, signature = sign().split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    non_canonical = signature[:-1] + letters[letters.index(signature[-1]) | 1]

    for token in (
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}=.{signature}",
        f"{header}.{payload}.{signature}==",
        f"{header}.{payload}.{signature}\n",
        f"{header}.{payload} .{signature}",
        f"{header}.{payload}.{non_canonical}",
        f"{header}.{payload}.{signature}.",
        f".{header}.{payload}.{signature}",
        f"{header}..{signature}",
        f"{header}.{payload}",
        f"Bearer {header}.{payload}.{signature}",
    ):
        assert reason(token) == "bad_token"
