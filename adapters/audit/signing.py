"""Audit events that are signed and name the one before: what is changed, forged or missing shows.

A signed line is the event's JSON object with four members more, in this order: `chain`, drawn by
each process for each sink; `link`, counted from 1; `previous`, half the SHA-256 of the whole line
before, or zeros; and `signature`, Ed25519 in base64url over everything before its comma.

The key is derived from the server xkey, so no second secret has to be kept, and a check needs its
public half alone.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final, final

from nacl.signing import SigningKey

from adapters.crypto import base64url

PURPOSE: Final = b"wasmcloud-secrets audit signatures v1"
"""What the signing key is derived for; see `SodiumXKeyPair.derive`."""

DOMAIN: Final = b"wasmcloud-secrets-audit-event-v1\n"
"""Stands before what is signed: no signature for anything else is one for an event."""

FIRST_PREVIOUS: Final = "0" * 32


def public_key_of(seed: bytes) -> str:
    """Return what checks the signatures that are made with a derived key, in base64url."""
    return base64url.encode(bytes(SigningKey(seed).verify_key))


def digest_of(line: bytes) -> str:
    """Return what the next line says of this one."""
    return sha256(line).hexdigest()[:32]


@final
class LineSigner:
    """Signs the lines of one sink, each after the other. `seed`: the 32 derived bytes of the
    signing key.
    """

    __slots__ = ("__key", "_chain", "_link", "_previous")

    def __init__(self, seed: bytes) -> None:
        self.__key = SigningKey(seed)
        self._chain = secrets.token_hex(8)
        self._link = 0
        self._previous = FIRST_PREVIOUS

    def sign(self, line: bytes) -> bytes:
        """Return the event's line, which is a JSON object, with its place and signature."""
        self._link += 1
        place = f',"chain":"{self._chain}","link":{self._link},"previous":"{self._previous}"'
        signed = line[:-1] + place.encode("ascii")
        signature = base64url.encode(self.__key.sign(DOMAIN + signed).signature)
        whole = signed + f',"signature":"{signature}"}}'.encode("ascii")
        self._previous = digest_of(whole)
        return whole
