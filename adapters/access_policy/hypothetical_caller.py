"""The entity that a question to the rules is about: from a token, or hypothetical."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto.inspection import describe_token
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from adapters.crypto.wascap_claims import IDENTITY_KINDS
from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.access_policy.document import PolicyDocument


class TokenRefusedError(Exception):
    """The service refuses the token before any rule; says why and holds nothing of it."""


class UnusableKeyError(Exception):
    """A key of a hypothetical entity is not one; says what to give instead."""


def entity_of_token(token: str, now: float, leeway: float = 0) -> Claims:
    """Read a component's or provider's token as the service does.

    Args:
        token: the text; nothing of it is repeated in an error.
        leeway: seconds by which clocks may differ.

    Raises:
        TokenRefusedError: the service would not take it, whatever the rules say.
    """
    description = describe_token(token)
    claims = description.claims
    if claims is None or description.verdict != "good_signature":
        detail = f" {description.problem}" if description.problem else ""
        raise _refused(f"{description.verdict}.{detail}")
    if claims.kind is IdentityKind.HOST:
        raise _refused("it is a host's. Give that of a component or provider.")
    if problem := claims.time_problem(now, leeway):
        raise _refused(f"{problem}. Sign the artifact again, or check the clock.")
    return claims


def hypothetical_entity(
    document: PolicyDocument,
    *,
    issuer: str,
    subject: str,
    now: float,
    name: str | None = None,
    tags: Iterable[str] = (),
    revision: int | None = None,
    artifact_hash: str | None = None,
) -> Claims:
    """Make the claims of an entity whose token would be signed now.

    Args:
        document: the file whose names of issuers may be used.
        issuer: an issuer's name in the file, or an account's key.
        subject: a component's or provider's key.
        name: and the rest: what its token would say.
        tags: as `name`.
        revision: as `name`.
        artifact_hash: as `name`.

    Raises:
        UnusableKeyError: the issuer or the subject is neither.
    """
    named = {friendly: key for key, friendly in document.issuers.items()}
    account = named.get(issuer, issuer)
    try:
        kind = IDENTITY_KINDS.get(decode_public(subject)[0])
        decode_public(account, KeyKind.ACCOUNT)
    except InvalidNKeyError as error:
        advice = f"Give as issuer a name from the file or a key, as subject a key. {error}"
        raise UnusableKeyError(advice) from None
    if kind not in {IdentityKind.COMPONENT, IdentityKind.PROVIDER}:
        raise UnusableKeyError("The subject must be the key of a component (M…) or provider (V…).")
    return Claims(
        kind,
        SubjectKey(subject),
        AccountKey(account),
        "",
        int(now),
        name=name,
        revision=revision,
        artifact_hash=artifact_hash,
        tags=tuple(tags),
    )


def host_named(key: str | None) -> Claims:
    """Make the claims of a host; rules look at its key alone."""
    return Claims(IdentityKind.HOST, SubjectKey(key or ""), AccountKey(""), "", 0)


def _refused(why: str) -> TokenRefusedError:
    return TokenRefusedError(f"The service refuses this token before any rule: {why}")
