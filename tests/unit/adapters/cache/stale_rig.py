"""A cache that keeps values for outages, with one whose time is over."""

from __future__ import annotations

from adapters.cache.config import CacheConfig
from tests.unit.adapters.cache.cache_rig import PATH, Rig

STALE = CacheConfig(max_stale_seconds=60)


async def kept(config: CacheConfig = STALE, *, age: float = 0.0) -> Rig:
    rig = Rig(config)
    rig.inner.put(PATH, "value")
    await rig.fetch()
    rig.clock.advance(age)
    return rig
