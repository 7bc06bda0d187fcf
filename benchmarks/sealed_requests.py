"""Requests sealed ahead of time, so that the load costs next to nothing while it is measured."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING
from zlib import crc32

from nacl import bindings

from adapters.crypto.nkeys_text import KeyKind, decode_public, decode_seed
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.headers import HOST_XKEY
from domain.model.policy_properties import PROPERTIES_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.model.identity import PublicXKey

_ISSUED_AT = 1_700_000_000
_TOKEN_ID = "bench"  # noqa: S105  a name for tokens
_METADATA = {
    "name": "checkout",
    "hash": "8E9E3B7F5BA6C03A4F1C4C6DFD1A1D9E2C4B6A7788990011223344556677889A",
    "tags": ["team:payments"],
    "rev": 12,
    "ver": "1.4.0",
}


@dataclass
class Requester:
    """Components of one account and the hosts that run them, with tokens as long as real ones.

    Requests are written as wasmCloud's crates do (wasmcloud-secrets-types 0.8.0): the members in
    their order, no blanks, the policy last. Its properties come in another order each time.

    Args:
        properties: the manifest's policy properties, `backend` among them.
        components: how many there are; each asks for secrets of its own.
        hosts: how many run all of them.

    Attributes:
        issuer: the account that signed the components.
        keys: the components' public keys.
    """

    properties: Mapping[str, str] = field(default_factory=lambda: {"backend": "secrets"})
    components: int = 1
    hosts: int = 1
    issuer: SigningKey = field(default_factory=lambda: SigningKey.generate(KeyKind.ACCOUNT))

    def __post_init__(self) -> None:
        self.keys = [SigningKey.generate(KeyKind.COMPONENT).public for _ in range(self.components)]
        self._entity_jwts = [
            sign_token(
                self.issuer, key, token_id=_TOKEN_ID, issued_at=_ISSUED_AT, metadata=_METADATA
            )
            for key in self.keys
        ]
        self._host_jwts = [
            sign_token(
                SigningKey.generate(KeyKind.ACCOUNT),
                SigningKey.generate(KeyKind.HOST).public,
                token_id=_TOKEN_ID,
                issued_at=_ISSUED_AT,
                metadata={"name": f"bench-host-{number}"},
            )
            for number in range(self.hosts)
        ]

    def ask(self, key: str, host: int = 0, application: str = "shop") -> bytes:
        """Write the JSON of one request: by the component that this key belongs to, on a host."""
        names = random.sample(list(self.properties), len(self.properties))
        properties = {name: self.properties[name] for name in names}
        policy = _compact({"type": PROPERTIES_TYPE, "properties": properties})
        context = {
            "entity_jwt": self._entity_jwts[crc32(key.encode()) % self.components],
            "host_jwt": self._host_jwts[host % self.hosts],
            "application": {"name": application, "policy": policy},
        }
        request = {"key": key, "field": None, "version": None, "context": context}
        return _compact(request).encode()


HOST_XKEYS = 2048
"""More than the service remembers, so that each request meets it with an xkey it has forgotten, as
those of hosts that draw one for each request."""


@dataclass
class HostXKey:
    """A host's xkey that seals for one server.

    The part of sealing that needs X25519 is done once: the load could not keep up otherwise.
    """

    server: PublicXKey
    pair: SodiumXKeyPair = field(default_factory=SodiumXKeyPair.generate)

    def __post_init__(self) -> None:
        secret = decode_seed(self.pair.seed_text(), KeyKind.XKEY)[1]
        self._shared = bindings.crypto_box_beforenm(decode_public(self.server)[1], secret)
        self._head = f"NATS/1.0\r\n{HOST_XKEY}: {self.pair.public}\r\n\r\n".encode()

    def message(self, plain: bytes) -> bytes:
        """Return header block and sealed body, with a nonce of its own."""
        nonce = os.urandom(bindings.crypto_box_NONCEBYTES)
        box = bindings.crypto_box_easy_afternm(plain, nonce, self._shared)
        return b"".join((self._head, b"xkv1", nonce, box))

    @property
    def head_bytes(self) -> int:
        """The length of the header block."""
        return len(self._head)


def frames(
    hosts: Sequence[HostXKey], plain_requests: Iterable[bytes], subject: str, inbox: str
) -> list[bytes]:
    """Return complete NATS commands; number `n` wants its reply at `{inbox}.{n}`.

    The xkeys take turns: number `n` is sealed by `hosts[n % len(hosts)]`.
    """
    made = []
    for number, (plain, host) in enumerate(zip(plain_requests, cycle(hosts), strict=False)):
        message = host.message(plain)
        command = f"HPUB {subject} {inbox}.{number} {host.head_bytes} {len(message)}\r\n"
        made.append(b"".join((command.encode(), message, b"\r\n")))
    return made


_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
