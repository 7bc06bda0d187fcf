"""Signed tokens (wascap JWTs) of entities and hosts."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from domain.model.identity import Claims, IdentityKind


class TokenRejectedError(Exception):
    """The token does not hold. `reason` is a constant: "bad_token" or "bad_signature"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenVerifier(Protocol):
    """Checks form, key kinds and signature. Times are the core's to check, at every request."""

    @abstractmethod
    def verify(self, token: str, expected: AbstractSet[IdentityKind]) -> Claims:
        """Return the claims of a token whose subject is of one of the expected kinds.

        Raises:
            TokenRejectedError: "bad_signature" when the signature is not the issuer's, "bad_token"
                for everything else. The text never holds any part of the token.
        """
