"""What stands around a secret store."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from bootstrap.store_parts import StoreStack

if TYPE_CHECKING:
    from bootstrap.settings import Settings
    from bootstrap.store_parts import StoreParts
    from ports.clock import Clock


def store_stack(settings: Settings, parts: StoreParts, clock: Clock) -> StoreStack:
    """Put a cache before the store, unless it were to keep nothing."""
    ttl_seconds = settings.cache_ttl_seconds
    if ttl_seconds is None:
        ttl_seconds = parts.cache_ttl_seconds
    if not ttl_seconds and not settings.cache_max_stale_seconds:
        return StoreStack(parts.store, parts)
    cache = CachedSecretStore(
        parts.store,
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
        outages=parts.outages | parts.limits,
    )
    return StoreStack(cache, parts, cache)
