"""The tokens that log callers in: short, signed by this backend, about what was verified.

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
from typing import TYPE_CHECKING, Final, final

from adapters.crypto import base64url
from domain.model.identity import IdentityKind
from domain.model.opaque import opaque
from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from adapters.vault.signing_keys import KeyRing, SigningKey
    from domain.model.identity import Caller
    from ports.clock import Clock


LIFETIME_SECONDS: Final = 60
CLOCK_SKEW_SECONDS: Final = 30
"""How far the server's clock may be behind; ahead it may be as far as the token lasts."""

USED_SECONDS: Final = 20.0
"""How long a signed token is used again; it lasts three times as long."""

CAPACITY: Final = 4096


def partition(caller: Caller) -> Hashable:
    """Return what of a caller the token says: answers are shared among equals only."""
    entity = caller.entity
    return (entity.kind, entity.subject, entity.issuer, entity.name, caller.application)


def sign(key: SigningKey, caller: Caller, *, issuer: str, audience: str, now: float) -> str:
    """Return a token for the caller that counts from now on.

    Args:
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


@opaque
class _Signed:
    token: str
    key_id: str
    until: float


@final
class CallerLogins:
    """Gives a signed token for each caller."""

    def __init__(self, keys: KeyRing, clock: Clock, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._signed: RecentlyUsed[Hashable, _Signed] = RecentlyUsed(CAPACITY)

    def token_for(self, caller: Caller) -> str:
        """Return a token that the server accepts for at least half a minute from now."""
        now = self._clock.monotonic()
        key = partition(caller)
        signed = self._signed.find(key)
        signer = self._keys.signer
        if signed is not None and now < signed.until and signed.key_id == signer.key_id:
            return signed.token
        token = sign(
            signer,
            caller,
            issuer=self._issuer,
            audience=self._audience,
            now=self._clock.now(),
        )
        self._signed.keep(key, _Signed(token, signer.key_id, now + USED_SECONDS))
        return token
