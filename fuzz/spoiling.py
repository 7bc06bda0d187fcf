"""Small damage to bytes, texts, JSON documents and tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adapters.crypto import base64url
from adapters.crypto.nkeys_text import KeyKind, encode_public
from tests.adversarial.defended_core import (
    COMPONENT,
    ENTITY_TOKEN,
    HOST,
    HOST_TOKEN,
    INPUT,
    PROVIDER,
    STRANGER,
    TEAM,
    token,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.crypto.token_signer import SigningKey
    from fuzz.choices import Choices

TOKENS = (
    ENTITY_TOKEN,
    HOST_TOKEN,
    token(PROVIDER),
    token(COMPONENT, STRANGER),
    token(HOST, TEAM),
    token(expires_at=1),
    token(not_before=2**63),
    token(metadata={"name": INPUT, "tags": [INPUT] * 3, "rev": 2**31, "hash": "h" * 999}),
    "",
    ".",
    "..",
    INPUT,
    "e30.e30.e30",
    "=" * 64,
)

NASTY_TEXTS = (
    "", "\0", "\r\n", "a\r\nb: c", "../..", "/", "//", "*", ">", "${KEY}", "%2e%2e%2f", "\ud800",
    "\u202e", "\uff0e\uff0e/", "KEY\u0000", "\uff2b\uff25\uff39", "e\u0301", "-1", "1e309", "NaN",
    "true", INPUT, "A" * 1025, "payments/API_KEY", "/payments/API_KEY", "payments/./API_KEY",
    "KEY ", "key",
)  # fmt: skip
NASTY_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**64, 10**400, 1.5, [], {}, [[]], [None] * 100, {"": ""},
    {"key": "KEY"}, "text", INPUT, *NASTY_TEXTS,
)  # fmt: skip
NASTY_BYTES = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"Infinity", b"1e999", b"[" * 99,
    b"{" * 99, b'"key":"KEY",', b'"\\ud800"', b"//", b"'", b"9" * 5000, b" ", INPUT.encode(),
)  # fmt: skip
POLICIES = (
    "",
    "{}",
    "null",
    "[]",
    '{"type":"properties.secret.wasmcloud.dev/v1alpha1","properties":{"environment":"dev"}}',
    '{"type":"properties.secret.wasmcloud.dev/v1alpha1","properties":{"environment":"root"}}',
    '{"properties":{"backend":"infisical","path":"/payments"}}',
    '{"type":"other","properties":{}}',
    '{"properties":{"environment":["dev"]}}',
    '{"properties":{"environment":"dev","environment":"prod"}}',
    '{"properties":' + json.dumps({str(number): "x" for number in range(65)}) + "}",
    '{"properties":{"password":"' + INPUT + '"}}',
    INPUT,
    "[" * 200,
)


def spoiled_bytes(data: bytes, choices: Choices) -> bytes:
    """Change, cut, stretch or splice."""
    at = choices.below(len(data) + 1)
    match choices.below(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + choices.of(NASTY_BYTES) + data[at:]
        case 2:
            return data[:at] + data[at + 1 + choices.below(8) :]
        case 3:
            return data[:at] + choices.take(4) + data[at + 4 :]
        case 4:
            start = choices.below(len(data) + 1)
            return data[:at] + data[start : start + 64] + data[at:]
        case _:
            flipped = bytes(byte ^ 1 << choices.below(8) for byte in data[at : at + 1])
            return data[:at] + flipped + data[at + 1 :]


def spoiled_text(text: str, choices: Choices) -> str:
    """Damage a text; what is no UTF-8 any more becomes replacement characters."""
    data = text.encode("utf-8", "surrogatepass")
    return spoiled_bytes(data, choices).decode("utf-8", "replace")


def spoiled_document(document: Any, choices: Choices) -> Any:
    """Replace, drop or add one member somewhere in a JSON document."""
    if not isinstance(document, dict) or not document:
        return choices.of(NASTY_VALUES)
    name = choices.of(sorted(document))
    value = document[name]
    match choices.below(6):
        case 0:
            return {other: document[other] for other in document if other != name}
        case 1:
            name, value = choices.of(NASTY_TEXTS), choices.of(NASTY_VALUES)
        case 2:
            value = nested(value, 1 + choices.below(120))
        case 3 if isinstance(value, str):
            value = spoiled_text(value, choices)
        case 4 | 5 if isinstance(value, dict):
            value = spoiled_document(value, choices)
        case _:
            value = choices.of(NASTY_VALUES)
    return {**document, name: value}


def nested(value: Any, depth: int) -> Any:
    """Wrap a value in so many lists."""
    for _ in range(depth):
        value = [value]
    return value


def any_token(usual: str, choices: Choices) -> str:
    """Take the usual token, another, or a damaged one: its text, or its claims signed again."""
    if not choices.once_in(3):
        return usual
    taken = choices.of((*[usual] * len(TOKENS), *TOKENS))
    match choices.below(8):
        case 3 | 4 | 5:
            return spoiled_text(taken, choices)
        case 6:
            segments = taken.split(".")
            segments.insert(choices.below(len(segments) + 1), choices.of(NASTY_TEXTS))
            return ".".join(segments)
        case 7:
            return forged_token(choices)
        case _:
            return taken


def forged_token(choices: Choices) -> str:
    """Sign damaged claims under a damaged header, by the trusted issuer or by another key."""
    key: SigningKey = choices.of((TEAM, STRANGER))
    claims: Any = {
        "jti": choices.of(("attack", INPUT, COMPONENT)),
        "iat": 1_700_000_000,
        "iss": choices.of((key.public, TEAM.public, encode_public(KeyKind.ACCOUNT, bytes(32)))),
        "sub": choices.of((COMPONENT, HOST, PROVIDER, TEAM.public)),
        "exp": choices.of((None, 2**64, 2**63, -1, 1e400 if choices.once_in(9) else 1, "1")),
        "wascap": choices.of((None, {}, [], {"name": INPUT, "tags": [1], "labels": {"a": "b"}})),
    }
    header: Any = {"typ": "jwt", "alg": "Ed25519"}
    if choices.once_in(2):
        claims = spoiled_document(claims, choices)
    if choices.once_in(4):
        header = spoiled_document(header, choices)
    segments = [written(header), written(claims)]
    if choices.once_in(4):
        segments = [spoiled_bytes(segment, choices) for segment in segments]
    signed = ".".join(base64url.encode(segment) for segment in segments)
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def written(document: Any) -> bytes:
    """Write JSON, half surrogate pairs and all."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def spoil_file(text: str, pieces: Sequence[str], choices: Choices) -> bytes:
    """Damage a text in up to five places, with these pieces among others, and perhaps its bytes."""
    for _ in range(choices.below(6)):
        at = choices.below(len(text) + 1)
        match choices.below(4):
            case 0:
                text = text[:at] + choices.of(pieces) + text[at:]
            case 1:
                text = text[:at] + text[at + choices.below(40) :]
            case 2:
                start = choices.below(len(text) + 1)
                text = text[:at] + text[start : start + choices.below(80)] + text[at:]
            case _:
                text = text[:at] + choices.take(3).decode("utf-8", "replace") + text[at:]
    data = text.encode()
    if choices.once_in(8):
        at = choices.below(len(data) + 1)
        data = data[:at] + choices.take(2) + data[at:]
    return data
