"""What the cache has done so far, for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class CacheStatistics:
    """Counts since the start, and what is held now.

    Each request counts as one of hits, misses, shared and negative_hits, unless it was refused on
    arrival. The store was called `misses + refreshes` times.

    Attributes:
        hits: answered by a fresh value.
        misses: began a call to the store.
        shared: joined a call in flight.
        negative_hits: met a failure of a moment ago.
        refused: might not wait for the store, or had its ticket revoked; misses and shared count
            the latter as well.
        stale: answered by a value past its time, because the store is out; misses, shared,
            negative_hits and refused count these as well.
        refreshes: calls made ahead of expiry, in the background.
        evictions: values given up to stay within the bounds.
        flushed: values dropped by `invalidate`.
        entries: values held now.
        bytes: what these take, keys and bookkeeping included.
        waiting: requests that wait for the store now.
        waiting_limit: how many may.
    """

    hits: int = 0
    misses: int = 0
    shared: int = 0
    negative_hits: int = 0
    refused: int = 0
    stale: int = 0
    refreshes: int = 0
    evictions: int = 0
    flushed: int = 0
    entries: int = 0
    bytes: int = 0
    waiting: int = 0
    waiting_limit: int = 0
