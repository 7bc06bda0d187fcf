"""Requests that were read and allowed before, so that the same words need not be read again."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from domain.model.authenticated_request import AuthenticatedRequest

MAX_LENGTH = 4096
"""Longer requests are read each time: usual ones have half of this, and memory stays bounded."""


class KnownRequests:
    """The most recently used requests, by a digest of their plaintext; never the tokens in it.

    A host asks in the same words whenever it starts the same component. Whatever may change in
    between is not remembered: the tokens' times, the rules, the secret.

    Only allowed requests are kept: a refused caller gains nothing and evicts no other entry.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._requests: RecentlyUsed[bytes, AuthenticatedRequest] = RecentlyUsed(capacity)

    def find(self, plaintext: bytes) -> AuthenticatedRequest | None:
        """Return what these very bytes said when they were last allowed."""
        return self._requests.find(sha256(plaintext).digest())

    def keep(self, plaintext: bytes, request: AuthenticatedRequest) -> None:
        """Remember a request that was allowed."""
        if len(plaintext) <= MAX_LENGTH:
            self._requests.keep(sha256(plaintext).digest(), request)
