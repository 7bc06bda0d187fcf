"""xkeys over libsodium: X25519 key pairs that seal as NATS' curve keys do.

The sealed form is `xkv1`, a 24-byte nonce and a crypto_box; the source is `xkeys.go` in NATS'
nkeys library.
"""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import NoReturn, final

from nacl.exceptions import CryptoError
from typing_extensions import override

from adapters.crypto import sodium
from adapters.crypto.nkeys_text import (
    InvalidNKeyError,
    KeyKind,
    decode_public,
    decode_seed,
    encode_public,
    encode_seed,
)
from domain.model.errors import DecryptionFailed, EncryptionFailed, InvalidXKey
from domain.model.identity import PublicXKey
from ports.key_exchange import KeyExchange, XKeyPair

_MAGIC = b"xkv1"
_START = slice(len(_MAGIC))
_NONCE = slice(len(_MAGIC), len(_MAGIC) + sodium.NONCE_BYTES)
_BOX = slice(_NONCE.stop, None)
_SHORTEST = _NONCE.stop + sodium.MAC_BYTES
_FIELD_PRIME = 2**255 - 19
_LAST_OF_PRIME = _FIELD_PRIME >> 248
_XKEY = KeyKind.XKEY


@final
class SodiumXKeyPair(XKeyPair):
    """One X25519 key pair. Neither repr, copy nor pickle gives the secret half away."""

    __slots__ = ("__public", "__secret")

    def __init__(self, secret: bytes) -> None:
        """Take the 32 secret bytes; `from_seed` and `generate` are the usual ways."""
        if len(secret) != sodium.KEY_BYTES:
            raise InvalidXKey("An xkey has 32 secret bytes; give a seed instead.")
        self.__secret = secret
        point = sodium.public_of(secret)
        self.__public = PublicXKey(encode_public(_XKEY, point))

    @classmethod
    def from_seed(cls, seed: str) -> SodiumXKeyPair:
        """Read a key pair from its seed (`SX…`, 58 characters).

        Raises:
            InvalidXKey: the text is anything else.
        """
        try:
            return cls(decode_seed(seed, KeyKind.XKEY)[1])
        except InvalidNKeyError as error:
            advice = str(error)
        raise InvalidXKey(f"The xkey seed (SX…) cannot be read. {advice}", reason="invalid_seed")

    @classmethod
    def generate(cls) -> SodiumXKeyPair:
        """Draw a fresh key pair from the operating system's randomness."""
        return cls(os.urandom(sodium.KEY_BYTES))

    @property
    @override
    def public(self) -> PublicXKey:
        return self.__public

    def seed_text(self) -> str:
        """Return the seed: the secret itself, to be kept in a file that only the service reads."""
        return encode_seed(KeyKind.XKEY, self.__secret)

    def derive(self, purpose: bytes) -> bytes:
        """Return 32 secret bytes for one purpose, from which neither seed nor others follow."""
        return digest(self.__secret, purpose, sha256)

    @override
    def seal(self, plaintext: bytes, recipient: PublicXKey) -> bytes:
        return _seal(plaintext, recipient, self.__secret)

    @override
    def open(self, sealed: bytes, sender: PublicXKey) -> bytes:
        if len(sealed) >= _SHORTEST and sealed[_START] == _MAGIC:
            try:
                return sodium.open_box(sealed[_BOX], sealed[_NONCE], _point(sender), self.__secret)
            except (CryptoError, InvalidNKeyError):
                pass
        raise DecryptionFailed(
            "The message was not sealed by this sender for this xkey; "
            "fetch the server's xkey again and seal for it."
        )

    @override
    def __repr__(self) -> str:
        return f"SodiumXKeyPair({self.__public})"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a key pair cannot be pickled or copied; pass the object itself")


@final
class SodiumKeyExchange(KeyExchange):
    """Makes and reads xkeys with libsodium. Holds nothing."""

    @override
    def generate(self) -> SodiumXKeyPair:
        return SodiumXKeyPair.generate()

    @override
    def seal_with_fresh_key(
        self, plaintext: bytes, recipient: PublicXKey
    ) -> tuple[bytes, PublicXKey]:
        secret = os.urandom(sodium.KEY_BYTES)
        public = encode_public(_XKEY, sodium.public_of(secret))
        return _seal(plaintext, recipient, secret), PublicXKey(public)

    @override
    def parse_public(self, text: str) -> PublicXKey:
        try:
            _point(text)
            return PublicXKey(text)
        except InvalidNKeyError as error:
            advice = str(error)
        raise InvalidXKey(f"A public xkey (X…) is needed. {advice}")


def _seal(plaintext: bytes, recipient: PublicXKey, secret: bytes) -> bytes:
    nonce = os.urandom(sodium.NONCE_BYTES)
    try:
        return _MAGIC + nonce + sodium.seal_box(plaintext, nonce, _point(recipient), secret)
    except (CryptoError, InvalidNKeyError):
        pass
    # Raised out here so that no context keeps the frames that hold the plaintext.
    raise EncryptionFailed("The recipient's xkey cannot be used; generate a fresh one.")


# A request names its one-time key three times: to be checked, to open the body, and to seal the
# answer. No other request names it, so a few are enough, and the cheapest to forget.
@lru_cache(maxsize=64)
def _point(text: str) -> bytes:
    """Return the 32 bytes of a public xkey, in the one spelling that its point has.

    X25519 ignores the top bit and reduces modulo the field's prime (RFC 7748, section 5), so one
    key could be written in several ways: a request that was recorded would open again under
    another sender's name, past the check for replays. Key generation never makes such a spelling.
    """
    point = decode_public(text, _XKEY)[1]
    # The prime is so close to 2^255 that the last byte tells of nearly every key.
    if point[-1] >= _LAST_OF_PRIME and int.from_bytes(point, "little") >= _FIELD_PRIME:
        raise InvalidNKeyError("This xkey is not in canonical form; generate a fresh one.")
    return point
