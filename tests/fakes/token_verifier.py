"""A token verifier that knows the tokens a test told it about, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey
from ports.token_verifier import TokenRejectedError, TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_LETTERS = {IdentityKind.COMPONENT: "M", IdentityKind.PROVIDER: "V", IdentityKind.HOST: "N"}


class FakeTokenVerifier(TokenVerifier):
    """Any text can be a token once it is registered, as valid or as forged.

    Attributes:
        asked: every token that was shown, in order.
    """

    def __init__(self) -> None:
        self._valid: dict[str, Claims] = {}
        self._forged: set[str] = set()
        self.asked: list[str] = []

    def register(self, token: str, claims: Claims) -> str:
        """Accept the token from now on, as saying these claims; returns the token."""
        self._valid[token] = claims
        return token

    def register_forged(self, token: str) -> str:
        """Refuse the token for its signature from now on; returns the token."""
        self._forged.add(token)
        return token

    @override
    def verify(self, token: str, expected: AbstractSet[IdentityKind]) -> Claims:
        self.asked.append(token)
        if token in self._forged:
            raise TokenRejectedError("bad_signature")
        claims = self._valid.get(token)
        if claims is None or claims.kind not in expected:
            raise TokenRejectedError("bad_token")
        return claims


def fake_claims(
    kind: IdentityKind = IdentityKind.COMPONENT,
    *,
    subject: str = "1",
    issuer: str = "1",
    token_id: str = "fake-token",
    issued_at: int = 1_700_000_000,
    expires_at: int | None = None,
    not_before: int | None = None,
    name: str | None = None,
) -> Claims:
    """Make claims whose keys look like keys: a short name is padded to a key's 56 characters."""
    return Claims(
        kind=kind,
        subject=SubjectKey(_key(_LETTERS[kind], subject)),
        issuer=AccountKey(_key("A", issuer)),
        token_id=token_id,
        issued_at=issued_at,
        expires_at=expires_at,
        not_before=not_before,
        name=name,
    )


def _key(letter: str, name: str) -> str:
    return name if len(name) == len(letter) + 55 else f"{letter}{name:0>55}"
