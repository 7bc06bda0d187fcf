"""The answers kept: the least recently used go first when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from adapters.cache.key import key_bytes
from domain.model.opaque import stateful

if TYPE_CHECKING:
    from adapters.cache.key import CacheKey
    from adapters.cache.sealing import SealedValue
    from domain.model.selection import Selection


@stateful
class Entry:
    """One answer; times are monotonic seconds.

    Attributes:
        sealed: the value, as the sealer gave it.
        refresh_at: from then on one more call may be made ahead of expiry.
        fresh_until: from then on only an outage of the store lets the value be served.
        stale_until: from then on it is served no more.
        hits: how often it was served fresh.
    """

    sealed: SealedValue
    version: str
    upstream_request_id: str | None
    note: str | None
    field_encoding: Literal["base64"] | None
    refresh_at: float
    fresh_until: float
    stale_until: float
    hits: int = 0


class Entries:
    """Entries by key, bounded by number and by bytes."""

    __slots__ = ("_by_key", "_bytes", "_max_bytes", "_max_entries")

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._by_key: OrderedDict[CacheKey, tuple[Entry, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def bytes(self) -> int:
        """What all entries take, keys and bookkeeping included."""
        return self._bytes

    def get(self, key: CacheKey) -> Entry | None:
        """Return the entry, whatever its age, and count it as used."""
        held = self._by_key.get(key)
        if held is None:
            return None
        self._by_key.move_to_end(key)
        return held[0]

    def put(self, key: CacheKey, entry: Entry, now: float) -> int:
        """Keep the entry in place of any former one, and return how many had to go for it.

        Entries whose time is over go first and are not counted. One larger than all the room there
        is counts itself.
        """
        self.discard(key)
        size = key_bytes(key) + len(entry.sealed)
        if size > self._max_bytes:
            return 1
        self._by_key[key] = (entry, size)
        self._bytes += size
        evicted = 0
        while True:
            oldest, (candidate, _) = next(iter(self._by_key.items()))
            full = len(self._by_key) > self._max_entries or self._bytes > self._max_bytes
            over = candidate.stale_until <= now
            if not (full or over):
                return evicted
            self.discard(oldest)
            evicted += not over

    def discard(self, key: CacheKey) -> None:
        """Drop the entry, if there is one."""
        held = self._by_key.pop(key, None)
        if held is not None:
            self._bytes -= held[1]

    def drop(self, selection: Selection) -> int:
        """Drop all entries selected and return their number."""
        keys = [key for key in self._by_key if selection.matches(key[0])]
        for key in keys:
            self.discard(key)
        return len(keys)

    @override
    def __repr__(self) -> str:
        return f"Entries({len(self._by_key)} entries, {self._bytes} bytes)"
