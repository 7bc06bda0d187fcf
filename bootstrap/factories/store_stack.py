"""What stands around a secret store; outside in: cache, breaker, metrics, traces, deadline."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from adapters.breaker.config import BreakerConfig
from adapters.breaker.store import BreakingSecretStore
from adapters.cache.config import LONGEST_NEGATIVE_SECONDS, CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.metrics.secret_store import MeteredSecretStore
from adapters.upstream.bounded_store import BoundedSecretStore
from bootstrap.store_parts import StoreStack

if TYPE_CHECKING:
    from adapters.metrics.registry import Metrics
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreParts
    from bootstrap.tracing_parts import TracingParts
    from ports.clock import Clock
    from ports.secret_store import SecretStore


def store_stack(
    settings: Settings,
    parts: StoreParts,
    registry: Metrics | None,
    tracing: TracingParts,
    clock: Clock,
) -> StoreStack:
    """Build all layers."""
    store = tracing.store(BoundedSecretStore(parts.store, clock))
    metered = None if registry is None else MeteredSecretStore(store, registry, clock)
    breaker = BreakingSecretStore(metered or store, BreakerConfig(), clock, random.random)
    return StoreStack(_cache(settings, parts, breaker, clock), parts, breaker, metered)


def _cache(
    settings: Settings, parts: StoreParts, inner: SecretStore, clock: Clock
) -> CachedSecretStore:
    ttl_seconds = settings.cache_ttl_seconds
    if ttl_seconds is None:
        ttl_seconds = parts.cache_ttl_seconds
    return CachedSecretStore(
        inner,
        CacheConfig(
            ttl_seconds=ttl_seconds,
            max_stale_seconds=settings.cache_max_stale_seconds,
            # Where no value is answered from memory, "there is none" is not either.
            negative_seconds=min(LONGEST_NEGATIVE_SECONDS, ttl_seconds),
            call_seconds=settings.request_timeout_seconds,
            max_entries=settings.cache_max_entries,
            max_bytes=settings.cache_max_bytes,
            max_waiting=places_to_wait(settings.max_in_flight),
        ),
        clock,
        random.random,
        partition=parts.partition,
    )


def places_to_wait(max_in_flight: int) -> int:
    """Return how many of the requests in flight may wait for the store, 1 at least.

    The others can only be about to be answered or refused, so a store that hangs leaves room for
    answers from memory and for `server_xkey`.
    """
    return max(1, max_in_flight * 3 // 4)
