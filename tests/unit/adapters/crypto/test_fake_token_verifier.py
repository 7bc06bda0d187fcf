"""The fake token verifier honours the port."""

from __future__ import annotations

from dataclasses import replace

import pytest
from typing_extensions import override

from domain.model.identity import IdentityKind
from tests.contracts.token_verifier import ENTITIES, TokenVerifierContract
from tests.fakes.token_verifier import FakeTokenVerifier, fake_claims


class TestFakeTokenVerifier(TokenVerifierContract):
    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        self.fake = FakeTokenVerifier()

    @override
    def verifier(self) -> FakeTokenVerifier:
        return self.fake

    @override
    def token(
        self,
        kind: IdentityKind,
        *,
        token_id: str = "id",
        expires_at: int | None = None,
        not_before: int | None = None,
    ) -> str:
        claims = fake_claims(
            kind,
            token_id=token_id,
            issued_at=100,
            expires_at=expires_at,
            not_before=not_before,
            name="contract",
        )
        return self.fake.register(f"token of {kind} {token_id}", claims)

    @override
    def forged(self, kind: IdentityKind) -> str:
        return self.fake.register_forged(f"forged token of {kind}")


def test_the_fake_keeps_what_it_was_asked() -> None:
    fake = FakeTokenVerifier()
    token = fake.register("t", replace(fake_claims(), tags=("a",)))

    assert fake.verify(token, ENTITIES).tags == ("a",)
    assert fake.asked == ["t"]


def test_fake_keys_have_the_length_of_real_ones() -> None:
    claims = fake_claims(IdentityKind.HOST, subject="EDGE", issuer="TEAM")

    assert len(claims.subject) == len(claims.issuer) == 56
    assert (claims.subject[0], claims.subject[-4:]) == ("N", "EDGE")
    assert fake_claims(IdentityKind.HOST, subject=claims.subject).subject == claims.subject
