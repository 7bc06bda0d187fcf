"""What a token or a key says about itself, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import SEED_LENGTH, KeyKind, decode_public, decode_seed
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.token_verifier import WascapTokenVerifier
from adapters.crypto.wascap_claims import MalformedTokenError
from adapters.crypto.wascap_token import peek, read_token
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.identity import IdentityKind
from ports.token_verifier import TokenRejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import Claims


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """A token laid open. Holds nothing that could be used in the token's place.

    Attributes:
        verdict: "good_signature", "bad_signature" or "bad_token". Times are not part of it: ask
            `Claims.time_problem`. A good signature alone makes no issuer trusted.
        claims: what the token says in the service's own terms; None for a "bad_token".
        header: the header's members as written; None if they cannot be read.
        document: the claims' members as written; None if they cannot be read.
        problem: for a "bad_token", what is wrong with it and what to do.
    """

    verdict: str
    claims: Claims | None = None
    header: Mapping[str, object] | None = None
    document: Mapping[str, object] | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """A key laid open; of a seed only what its owner may show.

    Attributes:
        public: the public key in text form, for a seed the one that belongs to it.
        is_seed: whether the text given was a seed, and so a secret.
    """

    kind: KeyKind
    public: str
    is_seed: bool


def describe_token(token: str) -> TokenDescription:
    """Say what is in a token and whether its issuer signed it; never raises."""
    try:
        header, document = peek(token)
    except MalformedTokenError as error:
        return TokenDescription("bad_token", problem=str(error))
    try:
        claims = read_token(token).claims
    except MalformedTokenError as error:
        return TokenDescription("bad_token", header=header, document=document, problem=str(error))
    try:
        WascapTokenVerifier(remembered=0).verify(token, frozenset(IdentityKind))
        verdict = "good_signature"
    except TokenRejectedError as error:
        verdict = error.reason
    return TokenDescription(verdict, claims=claims, header=header, document=document)


def describe_key(text: str) -> KeyDescription:
    """Say of what kind a key is, and of a seed which public key belongs to it.

    Raises:
        InvalidNKeyError: the text is neither a public key nor a seed.
    """
    if len(text) != SEED_LENGTH:
        return KeyDescription(decode_public(text)[0], text, is_seed=False)
    kind, raw = decode_seed(text)
    pair = SodiumXKeyPair(raw) if kind is KeyKind.XKEY else SigningKey(kind, raw)
    return KeyDescription(kind, pair.public, is_seed=True)
