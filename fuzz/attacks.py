"""One attack: a request built as a host builds it, damaged at one or several of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.headers import HOST_XKEY, read_host_xkey, read_requester
from domain.model.transport import Operation
from fuzz.spoiling import (
    NASTY_BYTES,
    NASTY_TEXTS,
    POLICIES,
    any_token,
    spoiled_bytes,
    spoiled_document,
    written,
)
from tests.adversarial.defended_core import ENTITY_TOKEN, HOST_TOKEN, INPUT, message

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey
    from domain.model.transport import Requester
    from fuzz.choices import Choices

HOSTS: Final = tuple(SodiumXKeyPair.generate() for _ in range(32))
OTHER_SERVER: Final = SodiumXKeyPair.generate().public

_KEYS = ("KEY", "/KEY", "payments/API_KEY", "/payments/API_KEY", "payments/MISSING")
_OPERATIONS = (Operation.SERVER_XKEY, "", "get.get", "GET", "get ", INPUT, "\udcff")
_BAD_XKEYS = (
    b"",
    INPUT.encode(),
    encode_public(KeyKind.XKEY, bytes(32)).encode(),
    encode_public(KeyKind.XKEY, b"\1" + bytes(31)).encode(),
    encode_public(KeyKind.XKEY, b"\xec" + b"\xff" * 30 + b"\x7f").encode(),
    encode_public(KeyKind.XKEY, b"\xff" * 32).encode(),
    encode_public(KeyKind.ACCOUNT, bytes(32)).encode(),
    "\u2169".encode() * 56,
)
_NAMES = (HOST_XKEY, HOST_XKEY.lower(), HOST_XKEY.upper(), f"X-{HOST_XKEY}", f"{HOST_XKEY} ")


@dataclass(frozen=True, slots=True)
class Attack:
    """What arrives, and the key that would open a secret sent back."""

    operation: str
    body: bytes
    headers: bytes | None
    one_time: SodiumXKeyPair
    max_reply: int | None

    @property
    def host_xkey(self) -> str | None:
        return read_host_xkey(self.headers)

    @property
    def requester(self) -> Requester | None:
        return read_requester(self.headers)


def next_attack(
    choices: Choices, server: PublicXKey, retired: PublicXKey, previous: Attack | None
) -> Attack:
    """Build one attack from the choices alone; `previous` is what a replay repeats."""
    if previous is not None and choices.once_in(64):
        return previous
    pair = choices.of(HOSTS)
    plaintext = _plaintext(choices)
    body = pair.seal(plaintext, choices.of((*[server] * 12, *[retired] * 3, OTHER_SERVER)))
    if choices.once_in(10):
        body = spoiled_bytes(body, choices)
    if choices.once_in(64):
        body = choices.of((b"", b"xkv1", body[:44], plaintext, body * 400, *NASTY_BYTES))
    return Attack(
        operation=choices.of(_OPERATIONS) if choices.once_in(24) else Operation.GET,
        body=body,
        headers=_headers(pair.public.encode(), choices),
        one_time=pair,
        max_reply=choices.of((None, None, None, 1_048_000, 64, 0)),
    )


def _plaintext(choices: Choices) -> bytes:
    document: Any = message(
        choices.of(NASTY_TEXTS if choices.once_in(6) else _KEYS),
        field=choices.of(NASTY_TEXTS) if choices.once_in(12) else None,
        version=choices.of(("1", "2", *NASTY_TEXTS)) if choices.once_in(8) else None,
        entity_jwt=any_token(ENTITY_TOKEN, choices),
        host_jwt=any_token(HOST_TOKEN, choices),
        application={
            "name": choices.of((None, "shop", INPUT)),
            "policy": choices.of(POLICIES) if choices.once_in(3) else "",
        },
    )
    for _ in range(choices.of((0, 0, 0, 0, 0, 1, 1, 2, 3))):
        document = spoiled_document(document, choices)
    plaintext = written(document)
    if choices.once_in(12):
        plaintext = spoiled_bytes(plaintext, choices)
    return plaintext


def _headers(xkey: bytes, choices: Choices) -> bytes | None:
    if choices.once_in(8):
        xkey = choices.of((*_BAD_XKEYS, xkey.lower(), xkey + b" ", b" " + xkey, xkey[:-1]))
    name = choices.of(_NAMES) if choices.once_in(12) else HOST_XKEY
    lines = [name.encode() + b": " + xkey]
    if choices.once_in(16):
        lines.append(lines[0])
    if choices.once_in(8):
        lines.insert(0, b'Nats-Request-Info: {"acc":"HOSTS","user":"lattice"}')
    block = b"NATS/1.0\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
    if choices.once_in(12):
        block = spoiled_bytes(block, choices)
    return None if choices.once_in(64) else block
