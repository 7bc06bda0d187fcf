"""Values are sealed by the encryption xkey for itself."""

from __future__ import annotations

import traceback

import pytest

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.value_cipher import SEAL_BYTES, ValueCipher
from domain.model.errors import InvalidRequest, UpstreamError

CANARY = "canary-33d0c2"


@pytest.mark.parametrize("value", ["", "text", "päss ✓", b"\xff\x00", b"\x80" * 1000])
def test_a_sealed_value_opens_as_what_it_was(value: str | bytes) -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.open(cipher.seal(value)).reveal() == value


def test_bytes_that_are_valid_utf8_open_as_text() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.open(cipher.seal("päss".encode())).reveal() == "päss"


def test_the_sealed_form_is_what_the_xkey_seals_for_itself() -> None:
    xkey = SodiumXKeyPair.generate()

    sealed = ValueCipher(xkey).seal("value")

    assert xkey.open(sealed, xkey.public) == b"value"
    assert sealed.startswith(b"xkv1")
    assert len(sealed) == len("value") + SEAL_BYTES


def test_one_value_is_never_sealed_the_same_way_twice() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    assert cipher.seal("value") != cipher.seal("value")


@pytest.mark.parametrize("damaged", [b"", b"xkv1", b"plain text", bytes(60)])
def test_what_does_not_open_is_an_upstream_error_that_names_the_setting(damaged: bytes) -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    with pytest.raises(UpstreamError, match="ENCRYPTION_XKEY_SEED") as caught:
        cipher.open(damaged)

    assert caught.value.__context__ is None


def test_what_somebody_else_sealed_for_this_key_does_not_open() -> None:
    xkey = SodiumXKeyPair.generate()
    forged = SodiumXKeyPair.generate().seal(b"value", xkey.public)

    with pytest.raises(UpstreamError):
        ValueCipher(xkey).open(forged)


def test_a_text_that_is_no_unicode_is_refused_without_showing_it() -> None:
    cipher = ValueCipher(SodiumXKeyPair.generate())

    with pytest.raises(InvalidRequest) as caught:
        cipher.seal(CANARY + "\ud800")

    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_repr_shows_the_public_key_only() -> None:
    xkey = SodiumXKeyPair.generate()

    assert repr(ValueCipher(xkey)) == f"ValueCipher({xkey.public})"
