"""Requests that were read and allowed before, so that the same words need not be read again."""

from __future__ import annotations

from hashlib import sha256
from json import JSONDecoder
from typing import TYPE_CHECKING, Final

from domain.model.errors import InvalidRequest
from domain.model.messages import SecretRequest
from domain.model.recently_used import RecentlyUsed
from domain.model.strict_json import PEER_BRACKETS

if TYPE_CHECKING:
    from domain.model.authenticated_request import AuthenticatedRequest

MAX_LENGTH = 4096
"""Longer requests are read each time: usual ones have half of this, and memory stays bounded."""

_MEMBER: Final = b',"policy":'
_END: Final = b"}}}"
"""Of the application, the context and the request: a host writes the policy as the last member."""

_FEW_BRACKETS: Final = PEER_BRACKETS // 4
"""So many before and in the policy are fewer than a request may have in all, its end included."""


class KnownRequests:
    """The most recently used requests, by a digest of their plaintext; never the tokens in it.

    A host asks in the same words whenever it starts the same component, except for the policy:
    its properties come in another order each time (wasmcloud-secrets-types 0.8.0 keeps them in a
    hash map). So a request is known by all that precedes the policy's text. JSON is read from left
    to right: what the same beginning means does not depend on the text that follows it.

    Whatever may change in between is not remembered: the tokens' times, the rules, the secret.

    Only allowed requests are kept: a refused caller gains nothing and evicts no other entry.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._requests: RecentlyUsed[bytes, AuthenticatedRequest] = RecentlyUsed(capacity)

    def find(self, plaintext: bytes) -> AuthenticatedRequest | None:
        """Return what these bytes say, if a request that differs in its policy at most is known."""
        words, policy = _split(plaintext)
        known = self._requests.find(sha256(words).digest())
        if known is None or policy is None or policy == known.policy:
            return known
        return known.with_policy(policy)

    def keep(self, plaintext: bytes, request: AuthenticatedRequest) -> None:
        """Remember a request that was allowed."""
        if len(plaintext) > MAX_LENGTH:
            return
        words, policy = _split(plaintext)
        if policy is None or _is_policy(words, policy):
            self._requests.keep(sha256(words).digest(), request)


def _split(plaintext: bytes) -> tuple[bytes, str | None]:
    """Part a request as hosts write it into what precedes its policy's text, and that text.

    Any other is returned whole, without a policy; so is one that has to be read as a whole to see
    whether it may be read at all: with many brackets, or with characters that ASCII lacks.
    """
    start = plaintext.rfind(_MEMBER) + len(_MEMBER)
    if start >= len(_MEMBER) and plaintext.endswith(_END) and len(plaintext) <= MAX_LENGTH:
        try:
            text = plaintext[start : -len(_END)].decode("ascii")
            policy, end = _read_json(text)
        except ValueError:
            return plaintext, None
        is_text = end == len(text) and isinstance(policy, str) and policy.isascii()
        if is_text and text.count("{") + text.count("[") <= _FEW_BRACKETS:
            return plaintext[:start], policy
    return plaintext, None


def _is_policy(words: bytes, policy: str) -> bool:
    """Say whether these words lead to the application's policy, not to a member beside it."""
    if words.count(b"{") + words.count(b"[") > _FEW_BRACKETS:
        return False
    other = "" if policy else "other"
    try:
        context = SecretRequest.from_json(b'%b"%b"%b' % (words, other.encode(), _END)).context
    except InvalidRequest:
        return False
    return context.application is not None and context.application.policy == other


_read_json = JSONDecoder().raw_decode
