"""A wascap token taken apart: three strict segments, the one header, the claims.

The form is wascap's (`jwt.rs`): `{"typ":"jwt","alg":"Ed25519"}`, a claims object, an Ed25519
signature over the first two segments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto import base64url
from adapters.crypto.ed25519_jws import ALGORITHM, SIGNATURE_BYTES
from adapters.crypto.nkeys_text import KeyKind, decode_public
from adapters.crypto.wascap_claims import MalformedTokenError, read_claims
from domain.model.opaque import opaque
from domain.model.strict_json import PEER_BRACKETS, MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.identity import Claims

HEADER_TYPE = "jwt"
MAX_TOKEN_LENGTH = 8 * 1024
"""Real ones have less than a quarter of this."""

_SEGMENTS = 3


@opaque
class UnverifiedToken:
    """A token of the right form; nothing says yet that the issuer signed it.

    Attributes:
        claims: what it says.
        issuer_key: the 32 raw bytes of the account key that has to have signed it.
        payload: the exact bytes that `claims` was read from.
    """

    claims: Claims
    issuer_key: bytes
    payload: bytes


def read_token(token: str) -> UnverifiedToken:
    """Check the form and the claims' types and key kinds.

    Raises:
        MalformedTokenError: it is not a wascap token; the text says which part is wrong.
    """
    header, payload, signature = _split(token)
    check_header(_object(header, "header"))
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedTokenError("The signature must have 64 bytes; copy the token whole.")
    claims = read_claims(_object(payload, "claims"))
    return UnverifiedToken(
        claims=claims, issuer_key=decode_public(claims.issuer, KeyKind.ACCOUNT)[1], payload=payload
    )


def peek(token: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return header and claims of anything that has a token's outline, for a person to look at.

    Raises:
        MalformedTokenError: it is not three segments of base64url with two JSON objects.
    """
    header, payload, _ = _split(token)
    return _object(header, "header"), _object(payload, "claims")


def check_header(header: Mapping[str, object]) -> None:
    """Accept the one header that wascap writes, and no further member.

    Whatever else a header can say (`crit`, `b64`, `jwk`, `kid`, …) asks for the token to be read in
    another way than here.

    Raises:
        MalformedTokenError: it is another header.
    """
    if header != {"typ": HEADER_TYPE, "alg": ALGORITHM}:
        raise MalformedTokenError(
            f'The header must be {{"typ":"{HEADER_TYPE}","alg":"{ALGORITHM}"}} and no more; '
            "sign with wash or wascap."
        )


def _split(token: str) -> tuple[bytes, bytes, bytes]:
    if not 0 < len(token) <= MAX_TOKEN_LENGTH:
        raise MalformedTokenError(f"A token has 1 to {MAX_TOKEN_LENGTH} characters.")
    # One more than there may be: a text of nothing but dots is not worth splitting up.
    segments = token.split(".", _SEGMENTS)
    if len(segments) != _SEGMENTS:
        raise MalformedTokenError("A token has three segments with a dot between; copy it whole.")
    try:
        header, payload, signature = map(base64url.decode, segments)
    except base64url.InvalidBase64UrlError:
        pass
    else:
        return header, payload, signature
    raise MalformedTokenError("A token's segments are unpadded base64url; copy it exactly.")


def _object(data: bytes, name: str) -> dict[str, object]:
    try:
        document = parse_json(data, max_brackets=PEER_BRACKETS)
    except MalformedJsonError:
        document = None
    if not isinstance(document, dict):
        raise MalformedTokenError(
            f"The {name} must be a JSON object that names each member once; sign it again."
        )
    return document
