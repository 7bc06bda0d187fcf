"""Keys in text form: exactly one text for each key, and nothing else is read."""

from __future__ import annotations

import json
from base64 import b32encode
from binascii import crc_hqx
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.nkeys_text import (
    InvalidNKeyError,
    KeyKind,
    decode_public,
    decode_seed,
    encode_public,
    encode_seed,
)
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parents[3] / "vectors"
XKEYS: list[dict[str, Any]] = json.loads((VECTORS / "xkeys.json").read_text())["cases"]
TOKEN_KEYS: dict[str, dict[str, str]] = json.loads((VECTORS / "tokens.json").read_text())["keys"]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
RAW = bytes(range(32))
KINDS = st.sampled_from(list(KeyKind))
RAW_KEYS = st.binary(min_size=32, max_size=32)


def text_of(body: bytes, *, order: str = "little") -> str:
    """Encode any prefix and raw bytes with a checksum that fits."""
    crc = crc_hqx(body, 0).to_bytes(2, "little" if order == "little" else "big")
    return b32encode(body + crc).rstrip(b"=").decode()


@given(KINDS, RAW_KEYS)
def test_a_public_key_comes_back_from_its_text(kind: KeyKind, raw: bytes) -> None:
    text = encode_public(kind, raw)

    assert decode_public(text) == (kind, raw)
    assert decode_public(text, kind) == (kind, raw)
    assert len(text) == 56
    assert text[0] == kind.value


@given(KINDS, RAW_KEYS)
def test_a_seed_comes_back_from_its_text(kind: KeyKind, raw: bytes) -> None:
    text = encode_seed(kind, raw)

    assert decode_seed(text) == (kind, raw)
    assert decode_seed(text, kind) == (kind, raw)
    assert len(text) == 58
    assert text[:2] == f"S{kind.value}"


@pytest.mark.parametrize("pair", [case[side] for case in XKEYS for side in ("sender", "recipient")])
def test_xkeys_made_elsewhere_are_read(pair: dict[str, str]) -> None:
    kind, secret = decode_seed(pair["seed"])

    assert kind is KeyKind.XKEY
    assert SodiumXKeyPair(secret).public == pair["public"]
    assert encode_seed(kind, secret) == pair["seed"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("account", KeyKind.ACCOUNT),
        ("module", KeyKind.COMPONENT),
        ("service", KeyKind.PROVIDER),
        ("server", KeyKind.HOST),
    ],
)
def test_signing_keys_made_elsewhere_are_read(name: str, kind: KeyKind) -> None:
    key = SigningKey.from_seed(TOKEN_KEYS[name]["seed"], kind)

    assert key.public == TOKEN_KEYS[name]["public"]
    assert decode_public(key.public)[0] is kind
    assert key.seed_text() == TOKEN_KEYS[name]["seed"]


@pytest.mark.parametrize(
    ("text", "decode"),
    [
        (encode_public(KeyKind.XKEY, RAW), decode_public),
        (encode_seed(KeyKind.XKEY, RAW), decode_seed),
    ],
)
def test_every_change_of_one_character_is_refused(
    text: str, decode: Callable[[str], object]
) -> None:
    for position, char in enumerate(text):
        for other in set(ALPHABET + "0189=_-+ " + char.lower()) - {char}:
            with pytest.raises(InvalidNKeyError):
                decode(text[:position] + other + text[position + 1 :])


@given(KINDS, RAW_KEYS, st.integers(0, 279))
def test_every_change_of_one_bit_is_refused(kind: KeyKind, raw: bytes, bit: int) -> None:
    text = encode_public(kind, raw)
    number = int("".join(f"{ALPHABET.index(char):05b}" for char in text), 2) ^ (1 << bit)
    changed = "".join(ALPHABET[number >> shift & 31] for shift in range(275, -1, -5))

    with pytest.raises(InvalidNKeyError):
        decode_public(changed)


def test_a_seeds_unused_last_bits_must_be_zero() -> None:
    seed = encode_seed(KeyKind.ACCOUNT, RAW)
    last = ALPHABET.index(seed[-1])

    for tail in (1, 2, 3):
        with pytest.raises(InvalidNKeyError, match="cannot end like this"):
            decode_seed(seed[:-1] + ALPHABET[last | tail])


@given(st.text(max_size=70))
def test_arbitrary_text_is_refused_with_the_one_error(text: str) -> None:
    for decode in (decode_public, decode_seed):
        with pytest.raises(InvalidNKeyError):
            decode(text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.lower(),
        lambda text: text.capitalize(),
        lambda text: f" {text[1:]}",
        lambda text: f"{text[:-1]}\n",
        lambda text: f"{text}\n",
        lambda text: f"{text}=",
        lambda text: f"{text}AAAAAAAA",
        lambda text: text[:-1],
        lambda text: f"+{text[1:]}",
        lambda text: f"{text[:5]}_{text[6:]}",
        lambda text: f"{text[:5]}\u0665{text[6:]}",
        lambda text: f"{text[:5]}\uff21{text[6:]}",
        lambda text: f"{text[:5]}\ud800{text[6:]}",
        lambda text: f"{text[:5]}\0{text[6:]}",
    ],
)
def test_another_spelling_of_a_key_is_refused(spoil: Any) -> None:
    with pytest.raises(InvalidNKeyError):
        decode_public(spoil(encode_public(KeyKind.ACCOUNT, RAW)))
    with pytest.raises(InvalidNKeyError):
        decode_seed(spoil(encode_seed(KeyKind.ACCOUNT, RAW)))


def test_only_the_known_prefix_bytes_are_read() -> None:
    known = {ALPHABET.index(kind.value) << 3 for kind in KeyKind}
    for prefix in range(256):
        text = text_of(bytes((prefix,)) + RAW)

        if prefix in known:
            assert decode_public(text)[1] == RAW
        else:
            with pytest.raises(InvalidNKeyError, match="unknown"):
                decode_public(text)


@pytest.mark.parametrize("low_bits", range(1, 8))
def test_a_seeds_spare_prefix_bits_must_be_zero(low_bits: int) -> None:
    first, second = 18 << 3 | (23 << 3) >> 5, (23 << 6) & 0xFF

    assert decode_seed(text_of(bytes((first, second)) + RAW)) == (KeyKind.XKEY, RAW)
    with pytest.raises(InvalidNKeyError):
        decode_seed(text_of(bytes((first, second | low_bits)) + RAW))


def test_a_key_of_another_kind_is_refused_and_both_kinds_are_named() -> None:
    with pytest.raises(InvalidNKeyError, match=r"kind account; .* kind xkey \(X…\)"):
        decode_public(encode_public(KeyKind.ACCOUNT, RAW), KeyKind.XKEY)
    with pytest.raises(InvalidNKeyError, match=r"kind xkey; .* kind account"):
        decode_seed(encode_seed(KeyKind.XKEY, RAW), KeyKind.ACCOUNT)


def test_a_seed_is_no_public_key_and_a_public_key_no_seed() -> None:
    with pytest.raises(InvalidNKeyError, match="56"):
        decode_public(encode_seed(KeyKind.XKEY, RAW))
    with pytest.raises(InvalidNKeyError, match="58"):
        decode_seed(encode_public(KeyKind.XKEY, RAW))
    with pytest.raises(InvalidNKeyError, match="begins with S"):
        decode_seed(text_of(bytes((23 << 3, 0)) + RAW))


def test_the_checksum_has_its_low_byte_first() -> None:
    with pytest.raises(InvalidNKeyError, match="checksum"):
        decode_public(text_of(bytes((23 << 3,)) + RAW, order="big"))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_only_32_bytes_make_a_key(size: int) -> None:
    for encode in (encode_public, encode_seed):
        with pytest.raises(InvalidNKeyError, match="32"):
            encode(KeyKind.ACCOUNT, bytes(size))


@given(RAW_KEYS, st.integers(0, 57), st.sampled_from(ALPHABET + "a1\u00e4"))
def test_an_error_never_holds_the_input(raw: bytes, position: int, letter: str) -> None:
    seed = encode_seed(KeyKind.XKEY, raw)
    damaged = seed[:position] + letter + seed[position + 1 :]
    if damaged == seed:
        return

    with pytest.raises(InvalidNKeyError) as caught:
        decode_seed(damaged)

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert damaged[2:10] not in str(caught.value)
