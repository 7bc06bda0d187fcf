"""The short way to libsodium gives what PyNaCl's own bindings give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nacl import bindings
from nacl.exceptions import CryptoError

from adapters.crypto import sodium

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
NONCE = bytes(range(24))
PUBLIC = bindings.crypto_scalarmult_base(SECRET)
OTHER_PUBLIC = bindings.crypto_scalarmult_base(OTHER_SECRET)
LOW_ORDER = bytes(32)
MESSAGES = [b"", b"x", b"\x00" * 17, bytes(range(256)) * 40]


def test_the_lengths_are_those_of_the_library() -> None:
    assert bindings.crypto_box_SECRETKEYBYTES == sodium.KEY_BYTES
    assert bindings.crypto_secretbox_KEYBYTES == sodium.KEY_BYTES
    assert bindings.crypto_box_NONCEBYTES == sodium.NONCE_BYTES
    assert bindings.crypto_secretbox_NONCEBYTES == sodium.NONCE_BYTES
    assert len(bindings.crypto_secretbox_easy(b"", NONCE, SECRET)) == sodium.MAC_BYTES


def test_the_public_half_is_the_bindings() -> None:
    assert sodium.public_of(SECRET) == PUBLIC


@pytest.mark.parametrize("message", MESSAGES)
def test_a_box_is_the_bindings_and_opens_again(message: bytes) -> None:
    sealed = sodium.seal_box(message, NONCE, PUBLIC, OTHER_SECRET)

    assert sealed == bindings.crypto_box_easy(message, NONCE, PUBLIC, OTHER_SECRET)
    assert sodium.open_box(sealed, NONCE, OTHER_PUBLIC, SECRET) == message


@pytest.mark.parametrize("message", MESSAGES)
def test_what_the_bindings_sealed_with_a_secret_key_opens(message: bytes) -> None:
    sealed = bindings.crypto_secretbox(message, NONCE, SECRET)

    assert sodium.open_secret_box(sealed, NONCE, SECRET) == message


@pytest.mark.parametrize("place", [0, 15, 16, -1])
def test_what_was_damaged_does_not_open(place: int) -> None:
    box = bytearray(sodium.seal_box(b"message", NONCE, PUBLIC, OTHER_SECRET))
    secret_box = bytearray(bindings.crypto_secretbox(b"message", NONCE, SECRET))
    box[place] ^= 1
    secret_box[place] ^= 1

    with pytest.raises(CryptoError):
        sodium.open_box(bytes(box), NONCE, OTHER_PUBLIC, SECRET)
    with pytest.raises(CryptoError):
        sodium.open_secret_box(bytes(secret_box), NONCE, SECRET)


def test_a_point_of_low_order_is_neither_sealed_for_nor_opened_from() -> None:
    with pytest.raises(CryptoError):
        sodium.seal_box(b"message", NONCE, LOW_ORDER, SECRET)
    with pytest.raises(CryptoError):
        sodium.open_box(bytes(16), NONCE, LOW_ORDER, SECRET)


@pytest.mark.parametrize("wrong", [b"", bytes(23), bytes(25), bytes(31), bytes(33)])
def test_libsodium_never_reads_past_a_nonce_or_a_key(wrong: bytes) -> None:
    calls: tuple[Callable[[], bytes], ...] = (
        lambda: sodium.seal_box(b"", wrong, PUBLIC, SECRET),
        lambda: sodium.seal_box(b"", NONCE, wrong, SECRET),
        lambda: sodium.seal_box(b"", NONCE, PUBLIC, wrong),
        lambda: sodium.open_box(bytes(16), wrong, PUBLIC, SECRET),
        lambda: sodium.open_box(bytes(16), NONCE, wrong, SECRET),
        lambda: sodium.open_box(bytes(16), NONCE, PUBLIC, wrong),
        lambda: sodium.open_secret_box(bytes(16), wrong, SECRET),
        lambda: sodium.open_secret_box(bytes(16), NONCE, wrong),
        lambda: sodium.public_of(wrong),
    )
    for call in calls:
        with pytest.raises(ValueError, match="a nonce has 24 bytes, and a key 32"):
            call()
