"""The wascap token verifier: the contract, tokens from elsewhere, and tokens drawn at random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.token_verifier import WascapTokenVerifier
from domain.model.identity import IdentityKind
from ports.token_verifier import TokenRejectedError
from tests.contracts.token_verifier import ENTITIES, HOSTS, TokenVerifierContract
from tests.unit.adapters.crypto.forging import (
    COMPONENT,
    HEADER,
    HOST,
    ISSUER,
    PROVIDER,
    claims,
    sign,
)

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "tokens.json").read_text())
CASES: list[dict[str, Any]] = [*VECTORS["cases"], *VECTORS["real"]]
SUBJECTS = {
    IdentityKind.COMPONENT: COMPONENT,
    IdentityKind.PROVIDER: PROVIDER,
    IdentityKind.HOST: HOST,
}
EVERY_KIND = frozenset(IdentityKind)


class TestWascapTokenVerifier(TokenVerifierContract):
    remembered = 4096

    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.under_test = WascapTokenVerifier(self.remembered)

    @override
    def verifier(self) -> WascapTokenVerifier:
        return self.under_test

    @override
    def token(
        self,
        kind: IdentityKind,
        *,
        token_id: str = "id",
        expires_at: int | None = None,
        not_before: int | None = None,
    ) -> str:
        return sign_token(
            ISSUER,
            SUBJECTS[kind],
            token_id=token_id,
            issued_at=100,
            expires_at=expires_at,
            not_before=not_before,
            metadata={"name": "contract"},
        )

    @override
    def forged(self, kind: IdentityKind) -> str:
        return sign(claims(sub=SUBJECTS[kind]), key=SigningKey(ISSUER.kind, b"x" * 32))


class TestWascapTokenVerifierWithoutMemory(TestWascapTokenVerifier):
    remembered = 0


class TestWascapTokenVerifierWithRoomForOne(TestWascapTokenVerifier):
    remembered = 1


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
@pytest.mark.parametrize("times", [1, 2])
def test_tokens_made_elsewhere_end_as_they_should(case: dict[str, Any], times: int) -> None:
    verifier = WascapTokenVerifier()
    expected = HOSTS if case["kind"] == "host" else ENTITIES
    outcome = ""
    for _ in range(times):
        try:
            found = verifier.verify(case["token"], expected)
            assert found.kind.value == case["kind"]
            outcome = found.time_problem(VECTORS["now"], leeway=5) or "valid"
        except TokenRejectedError as rejection:
            outcome = rejection.reason

    assert outcome == case["expect"]


def test_a_real_components_metadata_is_read() -> None:
    token = next(c["token"] for c in VECTORS["real"] if "2023" in c["name"])

    found = WascapTokenVerifier().verify(token, ENTITIES)

    assert found.name == "Echo Messaging"
    assert found.version == "0.1.5"
    assert found.revision == 0
    assert found.tags == ()
    assert found.artifact_hash is not None
    assert found.artifact_hash.startswith("0A116480")
    assert found.issued_at == 1679578778


def test_a_real_hosts_labels_are_read() -> None:
    token = next(c["token"] for c in VECTORS["real"] if c["kind"] == "host")

    found = WascapTokenVerifier().verify(token, HOSTS)

    assert found.name == "quiet-dawn-6379"
    assert found.labels == (("self_signed", "true"),)


@given(st.data())
def test_a_change_of_any_character_is_noticed(data: st.DataObject) -> None:
    token = sign()
    position = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.characters(codec="ascii").filter(lambda other: other != token[position]))
    verifier = WascapTokenVerifier()
    verifier.verify(token, ENTITIES)

    with pytest.raises(TokenRejectedError):
        verifier.verify(token[:position] + char + token[position + 1 :], EVERY_KIND)


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_arbitrary_text_is_a_bad_token(text: str) -> None:
    with pytest.raises(TokenRejectedError) as caught:
        WascapTokenVerifier().verify(text, EVERY_KIND)

    assert caught.value.reason == "bad_token"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIM_NAMES = ["jti", "iat", "iss", "sub", "exp", "nbf", "wascap"]


@given(st.dictionaries(st.sampled_from(CLAIM_NAMES), json_values))
def test_signed_claims_of_any_type_are_claims_or_a_bad_token(changes: dict[str, Any]) -> None:
    try:
        found = WascapTokenVerifier().verify(sign(claims(**changes)), EVERY_KIND)
    except TokenRejectedError as rejection:
        assert rejection.reason == "bad_token"  # noqa: PT017  both ends are fine
    else:
        found.time_problem(0.0, leeway=5)
        json.dumps([found.name, found.tags, found.labels], ensure_ascii=False).encode()


@given(json_values)
def test_a_signed_header_of_any_other_form_is_a_bad_token(header: Any) -> None:
    with pytest.raises(TokenRejectedError) as caught:
        WascapTokenVerifier().verify(sign(header=json.dumps(header).encode()), EVERY_KIND)

    assert header != HEADER
    assert caught.value.reason == "bad_token"
