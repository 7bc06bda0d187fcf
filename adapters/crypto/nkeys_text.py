"""Keys as text, the nkeys way: `SXA…`, `ADSO…`.

A public key is base32 (RFC 4648, no padding) of one prefix byte, the 32 raw bytes and their
CRC-16/XMODEM, low byte first; in a seed two prefix bytes pack "seed" and the kind. Source: the
nkeys libraries of NATS (github.com/nats-io/nkeys, `strkey.go`). Every key has exactly one text:
whatever encodes otherwise is refused.
"""

from __future__ import annotations

from binascii import crc_hqx
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RAW_KEY_BYTES = 32
PUBLIC_LENGTH = 56
SEED_LENGTH = 58


class KeyKind(StrEnum):
    """What a key stands for; the value is the first character of its public text."""

    ACCOUNT = "A"
    CLUSTER = "C"
    COMPONENT = "M"
    HOST = "N"
    OPERATOR = "O"
    PROVIDER = "V"
    USER = "U"
    XKEY = "X"


class InvalidNKeyError(ValueError):
    """The text is not the key that is needed. Its own text is safe to show: it holds no input."""


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_INT_DIGITS = b"0123456789abcdefghijklmnopqrstuv"
# `int(…, 32)` reads a key ten times faster than base64.b32decode. It also takes lower case, signs,
# blanks and underscores, so everything outside the alphabet is turned into a byte it refuses.
_TO_INT_DIGITS = bytes(
    _INT_DIGITS[_ALPHABET.index(byte)] if byte in _ALPHABET else ord("!") for byte in range(256)
)
_CHARACTER = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_PREFIX = {kind: _ALPHABET.index(ord(kind)) << 3 for kind in KeyKind}
_PREFIX_BYTE = {kind: bytes((prefix,)) for kind, prefix in _PREFIX.items()}
_KIND = {prefix: kind for kind, prefix in _PREFIX.items()}
_SEED_PREFIX = _ALPHABET.index(b"S") << 3
_CRC_BYTES = 2
_SHAPES = {length: divmod(length * 5, 8) for length in (PUBLIC_LENGTH, SEED_LENGTH)}
"""The bytes in a text of that length, and the bits that are left over."""

_GROUPS = 64
"""Of 5 bits each: a power of two, with room for any key."""


def _spreading() -> Iterator[tuple[int, int]]:
    """Give the steps that move all groups, packed together, to 8 bits each.

    Each step parts every run of groups in two, and moves the upper half up to where it belongs:
    it is given by the mask of the upper halves, and by how many times their own to add to them.
    """
    half = _GROUPS // 2
    while half:
        lower = sum(((1 << half * 5) - 1) << place for place in range(0, _GROUPS * 8, half * 16))
        yield lower << half * 5, (1 << half * 3) - 1
        half //= 2


# A handful of operations on one large number, where base64.b32encode goes byte by byte: a fresh
# key's text is made for every answer.
_SPREADING = tuple(_spreading())
_number_of = int.from_bytes


def encode_public(kind: KeyKind, raw: bytes) -> str:
    """Write 32 raw bytes as a public key of that kind.

    Raises:
        InvalidNKeyError: `raw` is not 32 bytes.
    """
    return _encode(_PREFIX_BYTE[kind], raw, PUBLIC_LENGTH)


def decode_public(text: str, kind: KeyKind | None = None) -> tuple[KeyKind, bytes]:
    """Read a public key.

    Args:
        text: exactly the key, 56 characters.
        kind: the kind it must be of; None takes any.

    Returns:
        Its kind and its 32 raw bytes.

    Raises:
        InvalidNKeyError: a seed, another kind, another length, other characters, or a checksum that
            does not fit.
    """
    data = _decode(text, PUBLIC_LENGTH, "A public key")
    if kind is not None and data[0] == _PREFIX[kind]:
        return kind, data[1:-_CRC_BYTES]
    return _expect(_KIND.get(data[0]), kind), data[1:-_CRC_BYTES]


def encode_seed(kind: KeyKind, raw: bytes) -> str:
    """Write 32 secret bytes as a seed; hold the result as the secret it is.

    Raises:
        InvalidNKeyError: `raw` is not 32 bytes.
    """
    prefix = _PREFIX[kind]
    packed = bytes((_SEED_PREFIX | prefix >> 5, (prefix << 3) & 0xFF))
    return _encode(packed, raw, SEED_LENGTH)


def decode_seed(text: str, kind: KeyKind | None = None) -> tuple[KeyKind, bytes]:
    """Read a seed.

    Args:
        text: exactly the seed, 58 characters.
        kind: the kind it must be of; None takes any.

    Returns:
        Its kind and its 32 secret bytes.

    Raises:
        InvalidNKeyError: a public key, another kind, another length, other characters, or a
            checksum that does not fit.
    """
    data = _decode(text, SEED_LENGTH, "A seed")
    first, second = data[0], data[1]
    if first & 0b11111_000 != _SEED_PREFIX or second & 0b111:
        raise InvalidNKeyError("This is no seed; give the text that begins with S.")
    return _expect(_KIND.get((first & 0b111) << 5 | second >> 3), kind), data[2:-_CRC_BYTES]


def _encode(prefix: bytes, raw: bytes, length: int) -> str:
    if len(raw) != RAW_KEY_BYTES:
        raise InvalidNKeyError(f"A key has {RAW_KEY_BYTES} raw bytes; give exactly these.")
    body = prefix + raw
    data = body + crc_hqx(body, 0).to_bytes(_CRC_BYTES, "little")
    number = _number_of(data, "big")
    if unused_bits := _SHAPES[length][1]:
        number <<= unused_bits
    for upper, times in _SPREADING:
        number += (number & upper) * times
    return number.to_bytes(length, "big").translate(_CHARACTER).decode("ascii")


def _decode(text: str, length: int, name: str) -> bytes:
    """Return the bytes behind the text, checksum included and checked."""
    if len(text) != length:
        raise InvalidNKeyError(f"{name} has exactly {length} characters; copy the whole of it.")
    try:
        number = int(text.encode().translate(_TO_INT_DIGITS), 32)
    except ValueError:
        number = None
    # Raised out here: that exception carries the text.
    if number is None:
        raise InvalidNKeyError(f"{name} holds only A to Z and 2 to 7; copy it as it was printed.")
    size, unused_bits = _SHAPES[length]
    if unused_bits:
        if number & ((1 << unused_bits) - 1):
            raise InvalidNKeyError(f"{name} cannot end like this one; copy it as it was printed.")
        number >>= unused_bits
    data = number.to_bytes(size, "big")
    if crc_hqx(data[:-_CRC_BYTES], 0) != data[-1] << 8 | data[-2]:
        raise InvalidNKeyError(f"{name} with this text has a broken checksum; copy it again.")
    return data


def _expect(found: KeyKind | None, wanted: KeyKind | None) -> KeyKind:
    if found is None:
        raise InvalidNKeyError(
            "A key of this kind is unknown; use one that wasmCloud or NATS made."
        )
    if wanted is not None and found is not wanted:
        raise InvalidNKeyError(
            f"This is a key of kind {found.name.lower()}; "
            f"a key of kind {wanted.name.lower()} ({wanted}…) is needed here."
        )
    return found
