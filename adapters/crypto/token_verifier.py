"""wascap tokens checked for what they prove: that the key in `iss` signed these claims."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, final

from jwt.exceptions import InvalidSignatureError, PyJWTError
from typing_extensions import override

from adapters.crypto.ed25519_jws import new_jws, verified_payload
from adapters.crypto.wascap_claims import MalformedTokenError
from adapters.crypto.wascap_token import read_token
from domain.model.recently_used import RecentlyUsed
from ports.token_verifier import TokenRejectedError, TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from domain.model.identity import Claims, IdentityKind

MAX_REMEMBERED_LENGTH = 2048
"""Longer tokens are verified each time: real ones have half of this, and memory stays bounded."""


@final
class WascapTokenVerifier(TokenVerifier):
    """Verifies with PyJWT, and once for each token it has room to remember.

    What is remembered is a digest of the token's text and its claims, never the token. A token has
    one text only, and what is refused is not remembered. `remembered`: how many verified tokens to
    remember, the least recently used going first; 0 verifies each time.
    """

    def __init__(self, remembered: int = 4096) -> None:
        self._jws = new_jws()
        self._remembered: RecentlyUsed[bytes, Claims] = RecentlyUsed(remembered)

    @override
    def verify(self, token: str, expected: AbstractSet[IdentityKind]) -> Claims:
        digest = self._digest(token)
        claims = self._remembered.find(digest)
        if claims is None:
            claims = self._verify(token)
            if digest:
                self._remembered.keep(digest, claims)
        # Asked of a remembered token too: it may now be shown in another role.
        if claims.kind not in expected:
            raise TokenRejectedError("bad_token")
        return claims

    def _verify(self, token: str) -> Claims:
        try:
            unverified = read_token(token)
            payload = verified_payload(self._jws, token, unverified.issuer_key)
            # The claims must be read from the very bytes that PyJWT took for the payload.
            if payload == unverified.payload:
                return unverified.claims
            reason = "bad_token"
        except InvalidSignatureError:
            reason = "bad_signature"
        except (MalformedTokenError, PyJWTError):
            reason = "bad_token"
        # Raised out here so that not even __context__ holds a part of the token.
        raise TokenRejectedError(reason)

    def _digest(self, token: str) -> bytes:
        """Name the token, or return nothing if it is not to be remembered."""
        if len(token) > MAX_REMEMBERED_LENGTH or not token.isascii():
            return b""
        return sha256(token.encode("ascii")).digest()
