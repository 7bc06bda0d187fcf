"""xkeys without cryptography: readable, deterministic, and just as unforgiving as real ones."""

from __future__ import annotations

import hashlib
import itertools
from binascii import crc32

from typing_extensions import override

from domain.model.errors import DecryptionFailed, EncryptionFailed, InvalidXKey
from domain.model.identity import PublicXKey
from ports.key_exchange import KeyExchange, XKeyPair

MAGIC = b"xkv1"
NONCE_BYTES = 24
TAG_BYTES = 16


def public_text(number: int) -> PublicXKey:
    """Return the 56 characters of a fake public key."""
    body = f"X{number:047d}"
    return PublicXKey(f"{body}{crc32(body.encode('ascii')):08X}")


class FakeKeyExchange(KeyExchange):
    """Numbers its key pairs: the public key of the first is `X`, zeros, 1 and a checksum.

    A sealed message has the real one's layout and length: `xkv1`, a nonce that counts up, a tag
    over both keys and the plaintext, and the plaintext scrambled, so that a test that looks for a
    value where it must not be does not find it by accident. Anybody could forge all of this.

    Attributes:
        LOW_ORDER: a well-formed public key that nothing can be sealed for.
        generated: every key pair drawn, in order.
    """

    LOW_ORDER = public_text(0)

    def __init__(self, first: int = 1) -> None:
        """Number key pairs from `first`; give two exchanges in one test different ones."""
        self._numbers = itertools.count(first)
        self._nonces = itertools.count(1)
        self.generated: list[FakeXKeyPair] = []

    @override
    def generate(self) -> FakeXKeyPair:
        pair = FakeXKeyPair(next(self._numbers), self._nonces)
        self.generated.append(pair)
        return pair

    @override
    def seal_with_fresh_key(
        self, plaintext: bytes, recipient: PublicXKey
    ) -> tuple[bytes, PublicXKey]:
        pair = self.generate()
        return pair.seal(plaintext, recipient), pair.public

    @override
    def parse_public(self, text: str) -> PublicXKey:
        number = text[1:48]
        if not (number.isascii() and number.isdigit() and text == public_text(int(number))):
            raise InvalidXKey("This is no fake xkey; take one that generate() made.")
        return PublicXKey(text)


class FakeXKeyPair(XKeyPair):
    """One numbered key pair."""

    def __init__(self, number: int, nonces: itertools.count[int]) -> None:
        self._public = public_text(number)
        self._nonces = nonces

    @property
    @override
    def public(self) -> PublicXKey:
        return self._public

    @override
    def seal(self, plaintext: bytes, recipient: PublicXKey) -> bytes:
        if recipient == FakeKeyExchange.LOW_ORDER:
            raise EncryptionFailed("This fake key stands for a low-order point; use another.")
        nonce = next(self._nonces).to_bytes(NONCE_BYTES, "big")
        tag = _tag(self._public, recipient, nonce, plaintext)
        return MAGIC + nonce + tag + _scramble(plaintext, nonce)

    @override
    def open(self, sealed: bytes, sender: PublicXKey) -> bytes:
        nonce = sealed[len(MAGIC) : len(MAGIC) + NONCE_BYTES]
        tag = sealed[len(MAGIC) + NONCE_BYTES :][:TAG_BYTES]
        plaintext = _scramble(sealed[len(MAGIC) + NONCE_BYTES + TAG_BYTES :], nonce)
        if not sealed.startswith(MAGIC) or tag != _tag(sender, self._public, nonce, plaintext):
            raise DecryptionFailed("That was not sealed by this fake key for this fake key.")
        return plaintext

    @override
    def __repr__(self) -> str:
        return f"FakeXKeyPair({self._public})"


def _tag(sender: str, recipient: str, nonce: bytes, plaintext: bytes) -> bytes:
    parts = b"|".join((sender.encode(), recipient.encode(), nonce, plaintext))
    return hashlib.sha256(parts).digest()[:TAG_BYTES]


def _scramble(data: bytes, nonce: bytes) -> bytes:
    stream = hashlib.shake_128(nonce).digest(len(data))
    return bytes(mine ^ theirs for mine, theirs in zip(data, stream, strict=True))
