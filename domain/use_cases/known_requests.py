"""Requests that were read and allowed before, so that the same words need not be read again."""

from __future__ import annotations

from hashlib import sha256
from json import JSONDecoder
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from domain.model.recently_used import RecentlyUsed
from domain.model.strict_json import PEER_BRACKETS

if TYPE_CHECKING:
    from domain.model.authenticated_request import AuthenticatedRequest
    from domain.model.identity import AccountKey, Claims, SubjectKey
    from domain.use_cases.known_places import Meaning, Place

MAX_LENGTH: Final = 4096
"""Longer requests are read each time: usual ones have half of this, and memory stays bounded."""

MAX_POLICY_LENGTH: Final = 1024
"""As it is written. What a longer one means is read each time, as bounded memory needs."""

_MEMBER: Final = b',"policy":'
_MEMBER_LENGTH: Final = len(_MEMBER)
_END: Final = b"}}}"
"""Of the application, the context and the request: a host writes the policy as the last member."""

_BEFORE_END: Final = -len(_END)

_FEW_BRACKETS: Final = PEER_BRACKETS // 4
"""So many before and in the policy are fewer than a request may have in all, its end included."""

_Policy: TypeAlias = "tuple[AccountKey, SubjectKey, bytes]"
"""An entity and a policy as it writes it."""


Words: TypeAlias = tuple[bytes, bytes, bytes]
"""A request's plaintext, parted where a host writes the policy: all that precedes the policy, which
is the whole of a request that is written otherwise; its digest, which names it where it must not be
kept; and the policy as it is written, empty where it is not parted from the rest."""


def words_of(plaintext: bytes) -> Words:
    """Part an opened request, of which nothing has been checked."""
    known_by, policy = plaintext, b""
    if plaintext.endswith(_END) and len(plaintext) <= MAX_LENGTH:
        start = plaintext.rfind(_MEMBER) + _MEMBER_LENGTH
        written = plaintext[start:_BEFORE_END]
        # Whether other characters may be read at all shows only when all is read.
        is_text = written[:1] == b'"' and written != b'""' and written.isascii()
        if start >= _MEMBER_LENGTH and is_text:
            known_by, policy = plaintext[:start], written
    return known_by, sha256(known_by).digest(), policy


class KnownRequest(NamedTuple):
    """What the same words said before.

    Attributes:
        place: where the request leads; None if its policy must be read for that.
    """

    request: AuthenticatedRequest
    place: Place | None


class _Remembered(NamedTuple):
    """`meaning`: of the policy that the words lead to; None where they are the whole request."""

    known: KnownRequest
    meaning: Meaning | None


class KnownRequests:
    """The most recently used requests, by a digest of their plaintext; never the tokens in it.

    A host asks in the same words whenever it starts the same component, except for the policy:
    its properties come in another order each time (wasmcloud-secrets-types 0.8.0 keeps them in a
    hash map). So a request is known by all that precedes the policy's text. JSON is read from left
    to right: what the same beginning means does not depend on the text that follows it.

    What a policy means is remembered by the way it is written, for each entity apart, and a request
    has one place for one meaning.

    Whatever may change in between is not remembered: the tokens' times, the rules, the secret.

    Only allowed requests are kept: a refused caller gains nothing and evicts no other entry.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._requests: RecentlyUsed[bytes, _Remembered] = RecentlyUsed(capacity)
        self._meanings: RecentlyUsed[_Policy, Meaning] = RecentlyUsed(capacity)

    def find(self, words: Words) -> KnownRequest | None:
        """Return what these words say, if a request that differs in its policy at most is known."""
        _, digest, written = words
        found = self._requests.find(digest)
        if found is None:
            return None
        known, expected = found
        if not written:
            return known if expected is None else None
        meaning = self._meanings.find(_policy(known.request.caller.entity, written))
        if meaning is not None and meaning == expected:
            return known
        policy = _policy_text(written)
        return None if policy is None else KnownRequest(known.request.with_policy(policy), None)

    def keep(self, words: Words, request: AuthenticatedRequest, place: Place) -> None:
        """Remember a request that was allowed, and where it led."""
        known_by, digest, policy = words
        if len(known_by) > MAX_LENGTH:
            return
        known = KnownRequest(request, place)
        if not policy:
            self._requests.keep(digest, _Remembered(known, None))
        elif _leads_to_policy(known_by, policy, request):
            self._requests.keep(digest, _Remembered(known, place.meaning))
            if len(policy) <= MAX_POLICY_LENGTH:
                self._meanings.keep(_policy(request.caller.entity, policy), place.meaning)


def _policy(entity: Claims, written: bytes) -> _Policy:
    return entity.issuer, entity.subject, written


def _policy_text(written: bytes) -> str | None:
    """Read the policy; None if no request may end in it, or not in every case."""
    try:
        text, end = _read_json(written.decode("ascii"))
    except ValueError:
        return None
    is_text = end == len(written) and isinstance(text, str) and text.isascii()
    few = written.count(b"{") + written.count(b"[") <= _FEW_BRACKETS
    return text if is_text and few else None


def _leads_to_policy(known_by: bytes, written: bytes, request: AuthenticatedRequest) -> bool:
    """Say whether the words lead to the application's policy, not to another member of that name.

    The request has a policy of that text, and without a backslash there is one way to spell the
    name of the member that it stands in.
    """
    return (
        bool(request.policy)
        and _policy_text(written) == request.policy
        and known_by.count(b'"policy"') == 1
        and b"\\" not in known_by
        and known_by.count(b"{") + known_by.count(b"[") <= _FEW_BRACKETS
    )


_read_json = JSONDecoder().raw_decode
