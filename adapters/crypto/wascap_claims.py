"""The claims of a wascap token: a JSON document in, `Claims` out.

Names and types follow wascap's `jwt.rs` (github.com/wasmCloud/wasmCloud, `crates/wascap`): times
are unsigned 64-bit seconds, `rev` a signed 32-bit number, null is the same as absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey

if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY_KINDS = {
    KeyKind.COMPONENT: IdentityKind.COMPONENT,
    KeyKind.PROVIDER: IdentityKind.PROVIDER,
    KeyKind.HOST: IdentityKind.HOST,
}
"""Which keys may be a token's subject, and what each makes it."""

_MAX_TIME = 2**64 - 1
_MAX_REVISION = 2**31 - 1


class MalformedTokenError(ValueError):
    """The text is not a wascap token. Says which part is wrong and holds nothing of it."""


def read_claims(document: Mapping[str, object]) -> Claims:
    """Check the claims' types and key kinds; their signature and times are not checked here.

    A member of the metadata that has another type than wascap gives it counts as absent.

    Raises:
        MalformedTokenError: a claim outside the metadata is missing or of the wrong type.
    """
    kind, subject = _subject(document.get("sub"))
    token_id = _text(document.get("jti"))
    issued_at = _time(document, "iat")
    metadata = document.get("wascap")
    if token_id is None:
        raise MalformedTokenError("The claim jti must be text; sign the artifact again.")
    if issued_at is None:
        raise MalformedTokenError("The claim iat is missing; sign the artifact again.")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise MalformedTokenError("The claim wascap must be an object; sign the artifact again.")
    return Claims(
        kind=kind,
        subject=subject,
        issuer=_issuer(document.get("iss")),
        token_id=token_id,
        issued_at=issued_at,
        expires_at=_time(document, "exp"),
        not_before=_time(document, "nbf"),
        name=_text(metadata.get("name")),
        revision=_revision(metadata.get("rev")),
        version=_text(metadata.get("ver")),
        artifact_hash=_text(metadata.get("hash")),
        tags=_tags(metadata.get("tags")),
        labels=_labels(metadata.get("labels")),
    )


def _subject(value: object) -> tuple[IdentityKind, SubjectKey]:
    if isinstance(value, str):
        try:
            kind = IDENTITY_KINDS.get(decode_public(value)[0])
        except InvalidNKeyError:
            kind = None
        if kind is not None:
            return kind, SubjectKey(value)
    raise MalformedTokenError(
        "The claim sub must be the key of a component (M…), provider (V…) or host (N…)."
    )


def _issuer(value: object) -> AccountKey:
    if isinstance(value, str):
        try:
            decode_public(value, KeyKind.ACCOUNT)
            return AccountKey(value)
        except InvalidNKeyError:
            pass
    raise MalformedTokenError("The claim iss must be an account key (A…); sign with an account.")


def _time(document: Mapping[str, object], claim: str) -> int | None:
    value = document.get(claim)
    # bool is an int in Python, but not in JSON.
    if value is None or (type(value) is int and 0 <= value <= _MAX_TIME):
        return value
    raise MalformedTokenError(f"The claim {claim} must be a whole number of seconds.")


def _revision(value: object) -> int | None:
    if type(value) is int and -_MAX_REVISION - 1 <= value <= _MAX_REVISION:
        return value
    return None


def _text(value: object) -> str | None:
    """Return Unicode text; JSON can spell half a surrogate pair, which no log could encode."""
    if isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value):
        return value
    return None


def _tags(value: object) -> tuple[str, ...]:
    tags = [_text(tag) for tag in value] if isinstance(value, list) else []
    checked = tuple(tag for tag in tags if tag is not None)
    return checked if len(checked) == len(tags) else ()


def _labels(value: object) -> tuple[tuple[str, str], ...]:
    members = value.items() if isinstance(value, dict) else ()
    labels = [(_text(name), _text(text)) for name, text in members]
    checked = sorted((n, t) for n, t in labels if n is not None and t is not None)
    return tuple(checked) if len(checked) == len(labels) else ()
