"""A secret store as it is built, and as the service runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from adapters.breaker.store import BreakingSecretStore
    from adapters.cache.store import CachedSecretStore
    from adapters.infisical.client import InfisicalApi
    from adapters.metrics.secret_store import MeteredSecretStore
    from domain.model.identity import Caller
    from ports.secret_store import SecretStore
    from ports.store_check import StoreCheck


async def nothing_to_start() -> None:
    """Start a store that hears nothing from others."""


async def nothing_to_close() -> None:
    """Close a store that opened nothing of its own."""


def nothing_to_reload() -> None:
    """Reload a store that learned nothing which an operator could have it forget."""


@dataclass(frozen=True, slots=True)
class StoreParts:
    """What a new store brings.

    Attributes:
        start: listens to other replicas; called once NATS is connected, before the first fetch.
        close: ends the connections that the store itself opened; called once, after the last fetch.
        reload: takes up what the operator has changed outside of the settings, on SIGHUP.
        partition: what of a caller an answer depends on; answers are shared between callers of
            equal partitions. None for a store that answers every caller alike.
        cache_ttl_seconds: how old its answers may get where the operator does not say; 0 for a
            store that answers almost as fast as a cache would.
        infisical: what metrics ask beyond the calls that every store gets; None for other stores.
    """

    store: SecretStore
    check: StoreCheck
    close: Callable[[], Awaitable[None]] = nothing_to_close
    start: Callable[[], Awaitable[None]] = nothing_to_start
    reload: Callable[[], None] = nothing_to_reload
    partition: Callable[[Caller], Hashable] | None = None
    cache_ttl_seconds: float = 5.0
    infisical: InfisicalApi | None = None


@dataclass(frozen=True, slots=True)
class StoreStack:
    """A store with all that stands around it.

    Attributes:
        cache: the outermost layer, which requests are answered from. Also where it keeps nothing:
            it shares calls that are under way, and bounds how many requests wait for them.
        parts: the store that this ends in.
        breaker: inside the cache, so that no request is refused what is cached.
        metered: the innermost layer, so that it times the calls really made; None without metrics.
    """

    cache: CachedSecretStore
    parts: StoreParts
    breaker: BreakingSecretStore | None = None
    metered: MeteredSecretStore | None = None

    @property
    def store(self) -> SecretStore:
        """What requests are answered from."""
        return self.cache

    async def close(self) -> None:
        """End calls under way, then the store's own connections."""
        try:
            await self.cache.aclose()
        finally:
            await self.parts.close()
