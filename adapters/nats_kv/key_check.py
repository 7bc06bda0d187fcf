"""Which of the bucket's values the encryption xkey opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.nats_kv.entry import Operation
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.nats_kv.bucket import Bucket
    from adapters.nats_kv.entry import Entry
    from adapters.nats_kv.value_cipher import ValueCipher

NEWEST: Final = 16
"""Revisions looked at where the key is expected to be right."""

MOST: Final = 1000
"""Values looked at where it may be wrong; of more keys, an even sample."""


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
