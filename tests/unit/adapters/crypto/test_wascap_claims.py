"""Metadata is what the issuer wrote: read where it has wascap's types, absent where not."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.crypto.token_verifier import WascapTokenVerifier
from adapters.crypto.wascap_claims import MalformedTokenError, read_claims
from domain.model.identity import Claims, IdentityKind
from tests.unit.adapters.crypto.forging import COMPONENT, HOST, ISSUER, claims, sign


def verified(**changes: Any) -> Claims:
    return WascapTokenVerifier().verify(sign(claims(**changes)), frozenset(IdentityKind))


def test_metadata_is_read_into_the_claims() -> None:
    found = verified(
        exp=300,
        nbf=200,
        wascap={
            "name": "checker \u2713",
            "hash": "AB",
            "tags": ["b", "a"],
            "rev": -1,
            "ver": "0.1.0",
            "vendor": "ignored",
            "call_alias": None,
            "labels": {"zone": "b", "arch": "a"},
        },
    )

    assert found == Claims(
        kind=IdentityKind.COMPONENT,
        subject=found.subject,
        issuer=found.issuer,
        token_id="id",
        issued_at=100,
        expires_at=300,
        not_before=200,
        name="checker \u2713",
        revision=-1,
        version="0.1.0",
        artifact_hash="AB",
        tags=("b", "a"),
        labels=(("arch", "a"), ("zone", "b")),
    )
    assert (found.subject, found.issuer) == (COMPONENT, ISSUER.public)


@pytest.mark.parametrize("metadata", [..., None, {}])
def test_metadata_may_be_absent(metadata: Any) -> None:
    found = verified(wascap=metadata)

    assert (found.name, found.revision, found.tags, found.labels) == (None, None, (), ())


def test_null_times_are_absent_times() -> None:
    found = verified(exp=None, nbf=None)

    assert (found.expires_at, found.not_before) == (None, None)


def test_the_latest_time_that_wascap_can_write_is_read_and_compared() -> None:
    found = verified(exp=2**64 - 1, nbf=2**64 - 1, iat=0)

    assert found.time_problem(1_800_000_000.0, leeway=5) == "not_yet_valid"


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": 1, "hash": [], "ver": {}, "rev": "1", "tags": "a", "labels": []},
        {"name": None, "hash": None, "ver": None, "rev": None, "tags": None, "labels": None},
        {"name": "\ud800", "ver": "\udfff", "tags": ["a", 1], "labels": {"a": 1}, "rev": True},
        {"tags": [["a"]], "labels": {"\ud800": "a"}, "rev": 2**31},
        {"tags": ["\udc00"], "labels": {"a": None}, "rev": 1.0},
        {"tags": {"a": "b"}, "rev": -(2**31) - 1},
    ],
)
def test_metadata_of_the_wrong_type_is_absent(metadata: dict[str, Any]) -> None:
    found = verified(wascap=metadata)

    assert (found.name, found.artifact_hash, found.version, found.revision) == (None,) * 4
    assert (found.tags, found.labels) == ((), ())


def test_members_that_are_not_read_are_ignored() -> None:
    found = verified(aud="a service", scope=["all"], sub=HOST, wascap_revision="x")

    assert found.kind is IdentityKind.HOST


@pytest.mark.parametrize("claim", ["jti", "iat", "iss", "sub"])
def test_the_error_names_the_claim(claim: str) -> None:
    with pytest.raises(MalformedTokenError, match=f"claim {claim} ") as caught:
        read_claims(claims(**{claim: ...}))

    assert caught.value.__context__ is None
