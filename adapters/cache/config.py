"""How long answers are kept, and how many."""

from __future__ import annotations

from domain.model.opaque import opaque

LONGEST_NEGATIVE_SECONDS = 1.0
"""A secret that was just created, or a store that is just back, is not hidden for longer."""


@opaque
class CacheConfig:
    """What the operator decides about the cache.

    Attributes:
        ttl_seconds: how old a value may get, counted from when the store was asked; 0 answers
            nothing from memory and still shares calls that are under way.
        max_stale_seconds: how long past that a value is served while the store is out; 0 is never.
        patience_seconds: how long a request waits for a silent store where a stale value is
            cached.
        negative_seconds: how long a failed call answers further requests, at most 1.
        call_seconds: what a call to the store gets at least, whichever request began it.
        jitter_share: the largest part of a lifetime that is cut off at random, below 1.
        refresh_share: the part of its lifetime after which a much-asked value is fetched ahead of
            expiry; 1 is never.
        refresh_min_hits: how often a value must have been asked for by then.
        max_entries: values kept at most.
        max_bytes: memory that these may take, keys and bookkeeping included.
        max_waiting: requests that wait for the store at a time; see `FairAdmission`.
    """

    ttl_seconds: float = 5.0
    max_stale_seconds: float = 0.0
    patience_seconds: float = 2.0
    negative_seconds: float = 1.0
    call_seconds: float = 8.0
    jitter_share: float = 0.1
    refresh_share: float = 0.8
    refresh_min_hits: int = 3
    max_entries: int = 10_000
    max_bytes: int = 64 * 1024 * 1024
    max_waiting: int = 6144
