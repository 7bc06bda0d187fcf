"""What every token verifier does: run by the fake and by the real adapter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from domain.model.identity import IdentityKind
from ports.token_verifier import TokenRejectedError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from ports.token_verifier import TokenVerifier

ENTITIES = frozenset({IdentityKind.COMPONENT, IdentityKind.PROVIDER})
HOSTS = frozenset({IdentityKind.HOST})


class TokenVerifierContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods."""

    @abstractmethod
    def verifier(self) -> TokenVerifier:
        """Return the verifier under test; the same one throughout a test."""

    @abstractmethod
    def token(
        self,
        kind: IdentityKind,
        *,
        token_id: str = "id",
        expires_at: int | None = None,
        not_before: int | None = None,
    ) -> str:
        """Return a properly signed token, issued at second 100 and named "contract"."""

    @abstractmethod
    def forged(self, kind: IdentityKind) -> str:
        """Return a well-formed token that its issuer did not sign."""

    def rejection(self, token: str, expected: AbstractSet[IdentityKind]) -> TokenRejectedError:
        with pytest.raises(TokenRejectedError) as caught:
            self.verifier().verify(token, expected)
        return caught.value

    @pytest.mark.parametrize("kind", list(IdentityKind))
    def test_a_signed_token_gives_its_claims(self, kind: IdentityKind) -> None:
        claims = self.verifier().verify(self.token(kind, token_id="one"), {kind})

        assert claims.kind is kind
        assert claims.token_id == "one"
        assert claims.name == "contract"
        assert claims.issuer.startswith("A")
        assert claims.subject[0] == {"component": "M", "provider": "V", "host": "N"}[kind]
        assert (claims.issued_at, claims.expires_at, claims.not_before) == (100, None, None)

    def test_the_same_token_gives_the_same_claims_each_time(self) -> None:
        token = self.token(IdentityKind.COMPONENT)
        verifier = self.verifier()

        assert verifier.verify(token, ENTITIES) == verifier.verify(token, ENTITIES)

    @pytest.mark.parametrize("kind", list(IdentityKind))
    def test_a_token_of_a_kind_that_is_not_expected_is_a_bad_token(
        self, kind: IdentityKind
    ) -> None:
        token = self.token(kind)

        for expected in (frozenset(IdentityKind) - {kind}, frozenset[IdentityKind]()):
            assert self.rejection(token, expected).reason == "bad_token"

    def test_a_token_accepted_in_one_role_is_still_refused_in_another(self) -> None:
        token = self.token(IdentityKind.COMPONENT)
        self.verifier().verify(token, ENTITIES)

        assert self.rejection(token, HOSTS).reason == "bad_token"
        assert self.verifier().verify(token, ENTITIES).kind is IdentityKind.COMPONENT

    def test_a_token_that_its_issuer_did_not_sign_is_a_bad_signature_every_time(self) -> None:
        token = self.forged(IdentityKind.COMPONENT)

        for _ in range(3):
            assert self.rejection(token, ENTITIES).reason == "bad_signature"

    @pytest.mark.parametrize(
        "token", ["", ".", "..", "...", "not a token", "\u00e4.b.c", "\ud800", "\0", "A" * 200_000]
    )
    def test_any_other_text_is_a_bad_token(self, token: str) -> None:
        assert self.rejection(token, frozenset(IdentityKind)).reason == "bad_token"

    def test_a_good_token_with_anything_around_it_is_a_bad_token(self) -> None:
        token = self.token(IdentityKind.COMPONENT)
        self.verifier().verify(token, ENTITIES)

        for text in (f" {token}", f"{token} ", f"{token}\n", f"{token}=", f"{token}.", token[:-1]):
            assert self.rejection(text, ENTITIES).reason == "bad_token"

    def test_times_are_reported_and_not_judged(self) -> None:
        token = self.token(IdentityKind.COMPONENT, expires_at=101, not_before=4_000_000_000)

        claims = self.verifier().verify(token, ENTITIES)

        assert claims.time_problem(now=101, leeway=0) == "expired"
        assert claims.time_problem(now=100.5, leeway=0) == "not_yet_valid"

    def test_a_rejection_holds_no_part_of_the_token(self) -> None:
        for token in (
            self.forged(IdentityKind.COMPONENT),
            self.token(IdentityKind.HOST),
            self.token(IdentityKind.COMPONENT) + "x",
        ):
            rejection = self.rejection(token, ENTITIES)
            assert rejection.args == (rejection.reason,)
            assert rejection.__context__ is None
            assert rejection.__cause__ is None
