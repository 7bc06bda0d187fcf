"""The calls of libsodium that nearly every request makes, straight to the library.

`nacl.bindings` wraps the same ones: it clears the memory that libsodium is about to write, checks
arguments in functions of its own, and writes texts for errors that do not happen, which is a tenth
of all that the service adds to libsodium. Libsodium reads keys and nonces without knowing how long
they are, so that each function looks.
"""

from __future__ import annotations

from typing import Any, Final

import nacl.bindings  # noqa: F401  initializes libsodium
from nacl import _sodium
from nacl.exceptions import CryptoError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
MAC_BYTES: Final = 16
_LENGTHS: Final = f"a nonce has {NONCE_BYTES} bytes, and a key {KEY_BYTES}"

_ffi: Any = _sodium.ffi
_lib: Any = _sodium.lib
_BYTES: Any = _ffi.typeof("unsigned char[]")
_new: Any = _ffi.new_allocator(should_clear_after_alloc=False)
_buffer: Any = _ffi.buffer
_box: Any = _lib.crypto_box_easy
_open_box: Any = _lib.crypto_box_open_easy
_open_secret_box: Any = _lib.crypto_secretbox_open_easy
_multiply_base: Any = _lib.crypto_scalarmult_base


def seal_box(plaintext: bytes, nonce: bytes, recipient: bytes, secret: bytes) -> bytes:
    """Seal for a recipient's public key.

    Raises:
        CryptoError: the recipient's key is a point of small order.
    """
    _check(nonce, recipient, secret)
    box = _new(_BYTES, len(plaintext) + MAC_BYTES)
    if _box(box, plaintext, len(plaintext), nonce, recipient, secret):
        raise CryptoError("the key cannot be sealed for")
    sealed: bytes = _buffer(box)[:]
    return sealed


def open_box(sealed: bytes, nonce: bytes, sender: bytes, secret: bytes) -> bytes:
    """Open what `seal_box` sealed; `sealed` has at least `MAC_BYTES`.

    Raises:
        CryptoError: it was sealed otherwise.
    """
    _check(nonce, sender, secret)
    opened = _new(_BYTES, len(sealed) - MAC_BYTES)
    if _open_box(opened, sealed, len(sealed), nonce, sender, secret):
        raise CryptoError("the box does not open")
    plaintext: bytes = _buffer(opened)[:]
    return plaintext


def open_secret_box(sealed: bytes, nonce: bytes, key: bytes) -> bytes:
    """Open what `crypto_secretbox` sealed; `sealed` has at least `MAC_BYTES`.

    Raises:
        CryptoError: it was sealed otherwise.
    """
    _check(nonce, key, key)
    opened = _new(_BYTES, len(sealed) - MAC_BYTES)
    if _open_secret_box(opened, sealed, len(sealed), nonce, key):
        raise CryptoError("the box does not open")
    plaintext: bytes = _buffer(opened)[:]
    return plaintext


def public_of(secret: bytes) -> bytes:
    """Return the public half of a key pair."""
    if len(secret) != KEY_BYTES:
        raise ValueError(_LENGTHS)
    point = _new(_BYTES, KEY_BYTES)
    if _multiply_base(point, secret):
        raise CryptoError("the secret half cannot be used")
    public: bytes = _buffer(point)[:]
    return public


def _check(nonce: bytes, public: bytes, secret: bytes) -> None:
    """Raise ValueError for what libsodium would read past the end of."""
    if len(nonce) != NONCE_BYTES or len(public) != KEY_BYTES or len(secret) != KEY_BYTES:
        raise ValueError(_LENGTHS)
