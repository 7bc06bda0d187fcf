"""Requests that were read and allowed before, so that the same words need not be read again."""

from __future__ import annotations

from hashlib import sha256
from json import JSONDecoder
from typing import TYPE_CHECKING, Final, NamedTuple

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


class Words(NamedTuple):
    """A request's plaintext, parted where a host writes the policy.

    Attributes:
        known_by: all that precedes the policy's text. The whole of a request without a policy, and
            of one that must be read as a whole to see whether it may be read at all: written
            otherwise, with many brackets, or with a policy that is not of ASCII characters.
        digest: names `known_by` where it must not be kept.
        policy: the policy's text; None where it is not parted from the rest.
    """

    known_by: bytes
    digest: bytes
    policy: str | None

    @classmethod
    def of(cls, plaintext: bytes) -> Words:
        """Part an opened request, of which nothing has been checked."""
        known_by, policy = _split(plaintext)
        return cls(known_by, sha256(known_by).digest(), policy)


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

    def find(self, words: Words) -> AuthenticatedRequest | None:
        """Return what these words say, if a request that differs in its policy at most is known."""
        known = self._requests.find(words.digest)
        if known is None or words.policy is None or words.policy == known.policy:
            return known
        return known.with_policy(words.policy)

    def keep(self, words: Words, request: AuthenticatedRequest) -> None:
        """Remember a request that was allowed."""
        if len(words.known_by) <= MAX_LENGTH and _lead_to_policy(words, request):
            self._requests.keep(words.digest, request)


def _split(plaintext: bytes) -> tuple[bytes, str | None]:
    start = plaintext.rfind(_MEMBER) + len(_MEMBER)
    if start >= len(_MEMBER) and plaintext.endswith(_END) and len(plaintext) <= MAX_LENGTH:
        try:
            text = plaintext[start : -len(_END)].decode("ascii")
            policy, end = _read_json(text)
        except ValueError:
            return plaintext, None
        is_text = end == len(text) and isinstance(policy, str) and policy.isascii()
        if is_text and policy and text.count("{") + text.count("[") <= _FEW_BRACKETS:
            return plaintext[:start], policy
    return plaintext, None


def _lead_to_policy(words: Words, request: AuthenticatedRequest) -> bool:
    """Say whether the words lead to the application's policy, not to another member of that name.

    The request has a policy of that text, and without a backslash there is one way to spell the
    name of the member that it stands in.
    """
    known_by = words.known_by
    return words.policy is None or (
        words.policy == request.policy
        and known_by.count(b'"policy"') == 1
        and b"\\" not in known_by
        and known_by.count(b"{") + known_by.count(b"[") <= _FEW_BRACKETS
    )


_read_json = JSONDecoder().raw_decode
