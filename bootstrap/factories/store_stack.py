"""What stands around a secret store: outside in: a cache, a breaker, a stopwatch and spans."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from adapters.breaker.config import BreakerConfig
from adapters.breaker.store import CIRCUIT_OPEN, BreakingSecretStore
from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.metrics.secret_store import MeteredSecretStore
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
    """Build all layers; a cache that were to keep nothing is left out."""
    store = tracing.store(parts.store)
    metered = None if registry is None else MeteredSecretStore(store, registry, clock)
    breaker = BreakingSecretStore(
        metered or store, BreakerConfig(), clock, random.random, outages=parts.outages
    )
    cache = _cache(settings, parts, breaker, clock)
    return StoreStack(cache or breaker, parts, metered, breaker, cache)


def _cache(
    settings: Settings, parts: StoreParts, inner: SecretStore, clock: Clock
) -> CachedSecretStore | None:
    ttl_seconds = settings.cache_ttl_seconds
    if ttl_seconds is None:
        ttl_seconds = parts.cache_ttl_seconds
    if not ttl_seconds and not settings.cache_max_stale_seconds:
        return None
    return CachedSecretStore(
        inner,
        CacheConfig(
            ttl_seconds=ttl_seconds,
            max_stale_seconds=settings.cache_max_stale_seconds,
            call_seconds=settings.request_timeout_seconds,
            max_entries=settings.cache_max_entries,
            max_bytes=settings.cache_max_bytes,
        ),
        clock,
        random.random,
        per_caller=parts.per_caller,
        outages=parts.outages | parts.limits | {CIRCUIT_OPEN},
    )
