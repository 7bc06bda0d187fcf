"""Values at rest: sealed by the encryption xkey for itself, as wasmCloud's secrets-nats-kv does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from typing_extensions import override

from adapters.nats_kv.stream_reader import Operation
from domain.model.errors import DecryptionFailed, InvalidRequest, UpstreamError
from domain.model.secret import SecretValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.nats_kv.bucket import Bucket
    from adapters.nats_kv.stream_reader import Entry
    from ports.key_exchange import XKeyPair


SEAL_BYTES = 44
"""What sealing adds: `xkv1`, a 24-byte nonce and a 16-byte authenticator."""

NEWEST: Final = 16
"""Revisions looked at where the key is expected to be right."""

MOST: Final = 1000
"""Values looked at where it may be wrong; of more keys, an even sample."""


class ValueCipher:
    """Seals and opens values with one xkey.

    A sealed value is not bound to its key's name: a client with write access to the bucket can copy
    one secret's value to another name, so NATS permissions must limit that access.
    """

    def __init__(self, xkey: XKeyPair) -> None:
        self._xkey = xkey

    @override
    def __repr__(self) -> str:
        return f"ValueCipher({self._xkey.public})"

    def seal(self, value: str | bytes) -> bytes:
        """Seal a value; a text is stored as UTF-8.

        Raises:
            InvalidRequest: the text holds half a surrogate pair, which UTF-8 cannot carry.
        """
        return self._xkey.seal(to_bytes(value), self._xkey.public)

    def open(self, sealed: bytes) -> SecretValue:
        """Open a stored value: valid UTF-8 is text, anything else is binary.

        Raises:
            UpstreamError: it was not sealed with this xkey, or is damaged.
        """
        try:
            return read_value(self._xkey.open(sealed, self._xkey.public))
        except DecryptionFailed:
            pass
        raise UpstreamError(
            "The stored value does not open with the encryption xkey. Check that "
            "ENCRYPTION_XKEY_SEED is the seed it was written with, or write the secret again.",
            reason="value_unreadable",
        )


def to_bytes(value: str | bytes) -> bytes:
    """Return the bytes to store.

    Raises:
        InvalidRequest: the text is no valid Unicode.
    """
    if isinstance(value, bytes):
        return value
    # The exception holds the value, so it must not become a context.
    with suppress(UnicodeEncodeError):
        return value.encode()
    raise InvalidRequest(
        "The value is no valid Unicode text; store it as a file.", reason="value_not_unicode"
    )


def read_value(plain: bytes) -> SecretValue:
    """Return valid UTF-8 as text and anything else as binary."""
    try:
        return SecretValue(plain.decode())
    except UnicodeDecodeError:
        return SecretValue(plain)


class KeyCheck(NamedTuple):
    """How many values were looked at, and how many of them the key does not open."""

    looked_at: int
    unreadable: int

    @property
    def none_opens(self) -> bool:
        """Whether there are values and the key opens none: it is another key."""
        return 0 < self.looked_at == self.unreadable


async def check_newest(bucket: Bucket, cipher: ValueCipher, deadline: float) -> KeyCheck:
    """Look at the newest values, and at others as well if none of these opens.

    Values that do not open, however many, may be mistakes beside older ones that do.

    Raises:
        UpstreamError: as the bucket does.
    """
    entries = await bucket.newest(NEWEST, deadline)
    found = _open(cipher, (entry for entry in entries if entry.operation is Operation.PUT))
    return await check_all(bucket, cipher, deadline) if found.none_opens else found


async def check_all(bucket: Bucket, cipher: ValueCipher, deadline: float) -> KeyCheck:
    """Look at the latest value of every key, of a thousand at most.

    Raises:
        UpstreamError: as the bucket does.
    """
    return _open(cipher, await bucket.values(MOST, deadline))


def _open(cipher: ValueCipher, entries: Iterable[Entry]) -> KeyCheck:
    looked_at = unreadable = 0
    for entry in entries:
        looked_at += 1
        try:
            cipher.open(entry.sealed)
        except UpstreamError:
            unreadable += 1
    return KeyCheck(looked_at, unreadable)
