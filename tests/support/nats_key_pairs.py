"""Operators, accounts and users of NATS, as `nsc` would make them."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

from nacl.signing import SigningKey

from adapters.crypto.nkeys_text import KeyKind, encode_public, encode_seed

_UNLIMITED: Final = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1
)


class KeyPair:
    """A signing nkey, as `nsc` would make it."""

    def __init__(self, kind: KeyKind) -> None:
        self.signing = SigningKey(os.urandom(32))
        self.public = encode_public(kind, self.signing.verify_key.encode())
        self.seed = encode_seed(kind, self.signing.encode())

    def token(self, subject: str, name: str, nats: dict[str, Any]) -> str:
        """Return a NATS JWT about `subject`."""
        claims = {"jti": "1", "iat": 1, "iss": self.public, "sub": subject, "name": name}
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, {**claims, "nats": {**nats, "version": 2}}]
        signed = ".".join(encode_segment(json.dumps(part).encode()) for part in parts)
        signature = self.signing.sign(signed.encode()).signature
        return f"{signed}.{encode_segment(signature)}"


def encode_segment(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def operator_config(user: KeyPair, **limits: int) -> tuple[str, str]:
    """Return a server's configuration with one account, and the JWT of a user with these limits."""
    operator, account = KeyPair(KeyKind.OPERATOR), KeyPair(KeyKind.ACCOUNT)
    unlimited = _UNLIMITED | {"wildcards": True}
    operator_jwt = operator.token(operator.public, "O", {"type": "operator"})
    account_jwt = operator.token(account.public, "A", {"type": "account", "limits": unlimited})
    user_jwt = account.token(
        user.public, "U", {"type": "user", "subs": -1, "data": -1, "payload": -1} | limits
    )
    config = (
        f"operator: {operator_jwt}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {account.public}: {account_jwt} }}"
    )
    return config, user_jwt


@dataclass(frozen=True)
class ScopedLogin:
    """Users of roles (scoped signing keys): the limits are in the account's JWT alone.

    Attributes:
        jwts: of the user, by role.
        account: signs the users' account.
    """

    user: KeyPair
    operator: KeyPair
    account: KeyPair
    signing: dict[str, KeyPair]
    jwts: dict[str, str]
    limits: dict[str, int]

    @property
    def config(self) -> str:
        """The server's configuration."""
        operator_jwt = self.operator.token(self.operator.public, "O", {"type": "operator"})
        preload = f"{{ {self.account.public}: {self.account_jwt(**self.limits)} }}"
        return f"operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload: {preload}"

    def account_jwt(self, **limits: int) -> str:
        """Return the account's JWT with these payload limits, by role."""
        keys = [
            {
                "kind": "user_scope",
                "key": self.signing[role].public,
                "role": role,
                "template": {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": limit},
            }
            for role, limit in limits.items()
        ]
        unlimited = _UNLIMITED | {"wildcards": True}
        claims = {"type": "account", "limits": unlimited, "signing_keys": keys}
        return self.operator.token(self.account.public, "A", claims)


def scoped_login(**limits: int) -> ScopedLogin:
    """Return a user in these roles, by payload limit, and in the role "free" without one."""
    user, operator = KeyPair(KeyKind.USER), KeyPair(KeyKind.OPERATOR)
    account, limits = KeyPair(KeyKind.ACCOUNT), {**limits, "free": -1}
    signing = {role: KeyPair(KeyKind.ACCOUNT) for role in limits}
    jwts = {
        role: key.token(user.public, role, {"type": "user", "issuer_account": account.public})
        for role, key in signing.items()
    }
    return ScopedLogin(user, operator, account, signing, jwts, limits)
