"""The cached values: sealed, with their lifetimes; the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal

from typing_extensions import override

from adapters.cache.key import key_bytes
from adapters.cache.sealing import ValueSealer
from domain.model.opaque import stateful
from domain.model.secret import STALE, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.cache.config import CacheConfig
    from adapters.cache.key import CacheKey
    from adapters.cache.sealing import SealedValue
    from adapters.cache.statistics import CacheStatistics
    from domain.model.selection import Selection

FROM_CACHE: Final = "cache"
"""`Secret.source` of a fresh answer from memory."""


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


class CachedValues:
    """Values by key, bounded by number and by bytes; counts hits, stale answers and evictions.

    Times are monotonic seconds. `bytes`: what all values take, keys and bookkeeping included.
    """

    def __init__(
        self, config: CacheConfig, jitter: Callable[[], float], counts: CacheStatistics
    ) -> None:
        self._config = config
        self._jitter = jitter
        self._counts = counts
        self._sealer = ValueSealer()
        self._entries: OrderedDict[CacheKey, tuple[Entry, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @override
    def __repr__(self) -> str:
        return f"CachedValues({len(self._entries)} values, {self.bytes} bytes)"

    def fresh(self, key: CacheKey, now: float) -> tuple[Secret, bool] | None:
        """Return a fresh value, and whether it is time to fetch it ahead of expiry."""
        entry = self._get(key)
        if entry is None or now >= entry.fresh_until:
            return None
        self._counts.hits += 1
        entry.hits += 1
        refresh = now >= entry.refresh_at and entry.hits >= self._config.refresh_min_hits
        return self._open(entry, FROM_CACHE), refresh

    def has_stale(self, key: CacheKey, now: float) -> bool:
        """Say whether there is a value that may be served in an outage."""
        return self._usable(key, now) is not None

    def stale(self, key: CacheKey, now: float) -> Secret | None:
        """Return a value for an outage, which may be fresh again by now; None without one."""
        entry = self._usable(key, now)
        if entry is None:
            return None
        is_fresh = now < entry.fresh_until
        self._counts.stale += not is_fresh
        return self._open(entry, FROM_CACHE if is_fresh else STALE)

    def keep(self, key: CacheKey, secret: Secret, asked_at: float, now: float) -> None:
        """Cache an answer for as long as the configuration and the secret itself allow.

        An answer that the store itself calls stale is not cached, and ends no cached value.
        """
        if secret.source == STALE:
            return
        config = self._config
        # Only ever shorter: the TTL is a promise to operators who rotate a secret.
        lifetime = config.ttl_seconds * (1 - config.jitter_share * self._jitter())
        longest = lifetime + config.max_stale_seconds
        if secret.max_age_seconds is not None:
            lifetime = min(lifetime, secret.max_age_seconds)
            longest = min(longest, secret.max_age_seconds)
        if asked_at + longest <= now:
            self.discard(key)
            return
        entry = Entry(
            sealed=self._sealer.seal(secret.value),
            version=secret.version,
            upstream_request_id=secret.upstream_request_id,
            note=secret.note,
            field_encoding=secret.field_encoding,
            refresh_at=asked_at + config.refresh_share * lifetime,
            fresh_until=asked_at + lifetime,
            stale_until=asked_at + longest,
        )
        self._put(key, entry, now)

    def stop_refreshing(self, key: CacheKey) -> None:
        """Fetch the value ahead of expiry no more."""
        entry = self._get(key)
        if entry is not None:
            entry.refresh_at = entry.fresh_until

    def discard(self, key: CacheKey) -> None:
        """Drop the value, if there is one."""
        held = self._entries.pop(key, None)
        if held is not None:
            self.bytes -= held[1]

    def drop(self, selection: Selection) -> int:
        """Drop all values selected and return their number."""
        keys = [key for key in self._entries if selection.matches(key[0])]
        for key in keys:
            self.discard(key)
        return len(keys)

    def _get(self, key: CacheKey) -> Entry | None:
        """Return the entry, fresh or not, and count it as used."""
        held = self._entries.get(key)
        if held is None:
            return None
        self._entries.move_to_end(key)
        return held[0]

    def _put(self, key: CacheKey, entry: Entry, now: float) -> None:
        """Keep the entry in place of any former one.

        Entries whose time is over go first and count as no eviction. One larger than all the room
        there is counts itself.
        """
        self.discard(key)
        size = key_bytes(key) + len(entry.sealed)
        if size > self._config.max_bytes:
            self._counts.evictions += 1
            return
        self._entries[key] = (entry, size)
        self.bytes += size
        while True:
            oldest, (candidate, _) = next(iter(self._entries.items()))
            full = (
                len(self._entries) > self._config.max_entries or self.bytes > self._config.max_bytes
            )
            over = candidate.stale_until <= now
            if not (full or over):
                return
            self.discard(oldest)
            self._counts.evictions += not over

    def _usable(self, key: CacheKey, now: float) -> Entry | None:
        entry = self._get(key)
        if entry is not None and now >= entry.stale_until:
            self.discard(key)
            return None
        return entry

    def _open(self, entry: Entry, source: str) -> Secret:
        # By position, as all that every request makes: names would take twice as long.
        return Secret(
            entry.version,
            self._sealer.open(entry.sealed),
            entry.upstream_request_id,
            source,
            None,
            entry.note,
            entry.field_encoding,
        )
