"""The cache's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.cache.recheck_config import RecheckStatistics
    from adapters.cache.statistics import CacheStatistics

_LOOKUPS = (
    "Requests to the cache: answered by a fresh value, begun or joined a call to the store, or met "
    "a failure of a moment ago."
)


def cache_samples(counts: CacheStatistics) -> Iterator[Sample]:
    """Yield every figure of the cache as it is now."""
    for result, count in (
        ("hit", counts.hits),
        ("miss", counts.misses),
        ("shared", counts.shared),
        ("remembered", counts.negative_hits),
    ):
        labels = (("result", result),)
        yield Sample("cache_lookups_total", _LOOKUPS, count, labels, "counter")
    for name, meaning, count in (
        (
            "cache_stale_total",
            "Answers past their time, served because the store is out.",
            counts.stale,
        ),
        ("cache_refreshes_total", "Calls to the store made ahead of expiry.", counts.refreshes),
        ("cache_evictions_total", "Values given up to stay within the bounds.", counts.evictions),
        ("cache_flushed_total", "Values dropped on demand.", counts.flushed),
    ):
        yield Sample(name, meaning, count, kind="counter")
    yield Sample("cache_entries", "Values held.", counts.entries)
    yield Sample("cache_bytes", "Memory that the values held take, keys included.", counts.bytes)
    yield Sample("requests_waiting", "Requests that wait for the secret store.", counts.waiting)
    yield Sample(
        "requests_waiting_limit",
        "Requests that may wait for the secret store at a time.",
        counts.waiting_limit,
    )
    yield Sample(
        "requests_waiting_refused_total",
        "Requests refused because too many waited for the secret store, most of them for one "
        "folder; those answered by a stale value are among them.",
        counts.refused,
        kind="counter",
    )


def recheck_samples(counts: RecheckStatistics) -> Iterator[Sample]:
    """Yield every figure of the secrets that are read again now and then."""
    for result, number in (("read", counts.read), ("failed", counts.failed)):
        yield Sample(
            "cache_rechecks_total",
            "Reads of secrets that were served, to find changes without a notice: answered or not.",
            number,
            (("result", result),),
            "counter",
        )
    yield Sample(
        "cache_changes_found_total",
        "Changed secrets that no notice had told of, found by reading them.",
        counts.found,
        kind="counter",
    )
    yield Sample("cache_recheck_secrets", "Secrets that are read again in turn.", counts.secrets)
    yield Sample(
        "cache_recheck_oldest_seconds",
        "Seconds since the secret was read that has not been for longest, of those read in turn.",
        counts.oldest_seconds,
    )
