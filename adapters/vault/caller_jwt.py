"""The token that logs a caller in: short, signed by this backend, about what was verified.

The server takes "EdDSA" as algorithm, and refuses wascap's own tokens, which say "Ed25519"
(measured). It allows no time worth having beyond `exp`, and derives missing times from it, so that
all three are given.

| claim | what |
|---|---|
| iss | this backend, by `VAULT_JWT_ISSUER` |
| aud | `VAULT_JWT_AUDIENCE` |
| sub | public key of the component or provider: `M…`, `V…` |
| issuer | public key of the account that signed its token: `A…` |
| name | the name in its verified token, if any |
| kind | "component" or "provider" |
| unproven_application | the application's name, which the host only says |
| component, provider | iss, sub and wascap.name, where roles for secrets-vault look |
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from adapters.crypto import base64url
from domain.model.identity import IdentityKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from adapters.vault.signing_keys import SigningKey
    from domain.model.identity import Caller

LIFETIME_SECONDS: Final = 60
CLOCK_SKEW_SECONDS: Final = 30
"""How far the server's clock may be behind; ahead it may be as far as the token lasts."""


def partition(caller: Caller) -> Hashable:
    """Return what of a caller the token says: answers are shared among equals only."""
    entity = caller.entity
    return (entity.kind, entity.subject, entity.issuer, entity.name, caller.application)


def sign(key: SigningKey, caller: Caller, *, issuer: str, audience: str, now: float) -> str:
    """Return a token for the caller that counts from now on.

    Args:
        caller: whose login it is.
        issuer: what this backend calls itself.
        audience: for whom the token is, as the role binds it.
        now: seconds since the epoch.
    """
    entity = caller.entity
    identity: dict[str, object] = {"iss": entity.issuer, "sub": entity.subject}
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": entity.subject,
        "aud": audience,
        "iat": int(now),
        "nbf": int(now) - CLOCK_SKEW_SECONDS,
        "exp": int(now) + LIFETIME_SECONDS,
        "kind": entity.kind.value,
        "issuer": entity.issuer,
    }
    if entity.name is not None:
        claims["name"] = entity.name
        identity["wascap"] = {"name": entity.name}
    if caller.application is not None:
        claims["unproven_application"] = caller.application
    if entity.kind in {IdentityKind.COMPONENT, IdentityKind.PROVIDER}:
        claims[entity.kind.value] = identity
    header = {"alg": "EdDSA", "typ": "JWT", "kid": key.key_id}
    message = f"{_segment(header)}.{_segment(claims)}"
    return f"{message}.{base64url.encode(key.sign(message.encode('ascii')))}"


def _segment(members: Mapping[str, object]) -> str:
    text = json.dumps(dict(members), separators=(",", ":"), ensure_ascii=False)
    return base64url.encode(text.encode("utf-8", "replace"))
