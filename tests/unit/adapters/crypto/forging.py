"""Tokens as an attacker would write them: any bytes in the segments, any key under them."""

from __future__ import annotations

import json
from typing import Any

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.token_signer import SigningKey

ISSUER = SigningKey(KeyKind.ACCOUNT, b"i" * 32)
COMPONENT = SigningKey(KeyKind.COMPONENT, b"m" * 32).public
PROVIDER = SigningKey(KeyKind.PROVIDER, b"v" * 32).public
HOST = SigningKey(KeyKind.HOST, b"n" * 32).public

HEADER = {"typ": "jwt", "alg": "Ed25519"}
CLAIMS: dict[str, Any] = {"jti": "id", "iat": 100, "iss": ISSUER.public, "sub": COMPONENT}


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims with some members changed; `...` leaves a member out."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}


def sign(
    document: dict[str, Any] | bytes | None = None,
    header: dict[str, Any] | bytes | None = None,
    key: SigningKey = ISSUER,
) -> str:
    """Sign a claims document, or any bytes in its place, under any header."""
    message = f"{_segment(header, HEADER)}.{_segment(document, CLAIMS)}"
    return f"{message}.{base64url.encode(key.sign(message.encode()))}"


def account(raw: bytes) -> str:
    """Write any 32 bytes as an account key."""
    return encode_public(KeyKind.ACCOUNT, raw)


def _segment(content: dict[str, Any] | bytes | None, default: dict[str, Any]) -> str:
    if not isinstance(content, bytes):
        content = json.dumps(default if content is None else content).encode()
    return base64url.encode(content)
