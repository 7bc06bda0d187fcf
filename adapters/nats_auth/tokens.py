"""NATS' own tokens: operator, accounts, users and activations, as nats-server 2.15 reads them.

Source: github.com/nats-io/jwt v2. They are signed as wascap's are, with another header.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.crypto.token_signer import sign_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.crypto.token_signer import SigningKey
    from adapters.nats_auth.roles import Permissions

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_VERSION = 2
_UNLIMITED = -1
_LIMITS = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), _UNLIMITED
) | {"wildcards": True}
_JETSTREAM = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), _UNLIMITED)


@dataclass(frozen=True, slots=True)
class Export:
    """A subject that other accounts may import, if the account signs an activation for them.

    Attributes:
        kind: "service" or "stream".
        streams_replies: whether one request gets several replies.
    """

    subject: str
    kind: str = "service"
    streams_replies: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """A subject of another account, with that account's activation.

    Attributes:
        local: what it is called in the importing account, if something else.
        share: the exporter learns the account and user of each request.
    """

    subject: str
    account: str
    activation: str = field(repr=False)
    kind: str = "service"
    local: str | None = None
    share: bool = False


def operator_token(key: SigningKey, name: str, system_account: str, now: int) -> str:
    """Sign the operator's own token."""
    return _sign(key, key.public, name, {"type": "operator", "system_account": system_account}, now)


def account_token(
    operator: SigningKey,
    account: str,
    name: str,
    now: int,
    *,
    exports: Sequence[Export] = (),
    imports: Sequence[Import] = (),
    jetstream: bool = False,
) -> str:
    """Sign an account's token; `account` is its public key."""
    claims: dict[str, object] = {
        "type": "account",
        "limits": _LIMITS | (_JETSTREAM if jetstream else {}),
        "default_permissions": {"pub": {}, "sub": {}},
        "exports": [_export(export) for export in exports],
        "imports": [_import(each) for each in imports],
    }
    return _sign(operator, account, name, claims, now)


def activation_token(account: SigningKey, importer: str, export: Export, now: int) -> str:
    """Sign what lets the account `importer` import a subject."""
    claims = {"type": "activation", "subject": export.subject, "kind": export.kind}
    return _sign(account, importer, export.subject, claims, now)


def user_token(
    account: SigningKey, user: str, name: str, permissions: Permissions, now: int
) -> str:
    """Sign a user's token; `user` is its public key."""
    claims: dict[str, object] = {
        "type": "user",
        "pub": _lists(permissions.publish, permissions.deny_publish),
        "sub": _lists(permissions.subscribe, permissions.deny_subscribe),
        **dict.fromkeys(("subs", "data", "payload"), _UNLIMITED),
    }
    if permissions.allow_responses:
        claims["resp"] = {"max": 1, "ttl": 0}
    return _sign(account, user, name, claims, now)


def credentials(token: str, user: SigningKey) -> str:
    """Write a credentials file: the token, and the seed that must stay secret."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        "This file is a login. Keep it where only its user reads.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed_text()}\n------END USER NKEY SEED------\n"
    )


def _export(export: Export) -> dict[str, object]:
    claims: dict[str, object] = {
        "name": export.subject,
        "subject": export.subject,
        "type": export.kind,
        "token_req": True,
    }
    if export.kind == "service":
        claims["response_type"] = "Stream" if export.streams_replies else "Singleton"
    return claims


def _import(each: Import) -> dict[str, object]:
    claims: dict[str, object] = {
        "name": each.subject,
        "subject": each.subject,
        "account": each.account,
        "token": each.activation,
        "type": each.kind,
    }
    claims |= {} if each.local is None else {"local_subject": each.local}
    return claims | ({"share": True} if each.share else {})


def _lists(allow: Sequence[str], deny: Sequence[str]) -> dict[str, list[str]]:
    lists = {"allow": list(allow), "deny": list(deny)}
    return {name: subjects for name, subjects in lists.items() if subjects}


def _sign(
    key: SigningKey, subject: str, name: str, nats: Mapping[str, object], issued_at: int
) -> str:
    claims: dict[str, object] = {
        "iat": issued_at,
        "iss": key.public,
        "name": name,
        "sub": subject,
        "nats": {**nats, "version": _VERSION},
    }
    digest = hashlib.sha256(json.dumps(claims, sort_keys=True).encode()).digest()
    claims["jti"] = base64.b32encode(digest).decode("ascii").rstrip("=")
    return sign_segments(key, header=_HEADER, claims=claims)
