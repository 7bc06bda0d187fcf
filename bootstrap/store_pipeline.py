"""What stands around a secret store: cache, recheck, breaker, metrics, traces, deadline."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, final

from adapters.breaker.circuit import BreakerConfig, State
from adapters.breaker.store import BreakingSecretStore, breaker_samples
from adapters.cache.config import LONGEST_NEGATIVE_SECONDS, CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.upstream.admission_config import worker_share
from adapters.upstream.bounded_store import BoundedSecretStore
from bootstrap.settings import Problem, SettingsError
from domain.use_cases.host_waits import HostWaits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from adapters.admin_http.readiness import Disproof
    from adapters.cache.recheck import RecheckedSecretStore
    from adapters.metrics.registry import Metrics
    from adapters.metrics.secret_store import MeteredSecretStore
    from bootstrap.settings import Settings
    from bootstrap.tracing import Tracing
    from domain.model.selection import Selection
    from ports.clock import Clock
    from ports.lateness import Lateness
    from ports.plugin import Sample
    from ports.store_plugin import StoreContext, StoreParts

LEFT_ALONE: Final = (
    "Calls to the secret store failed one after another, so it is left alone and tried again every "
    "few seconds; check its health and the network to it."
)


@final
class StorePipeline:
    """A store with its layers.

    Attributes:
        parts: the store that all of them end in.
        cache: the outermost layer, which requests are answered from. It is there even where it
            keeps nothing: requests of the same moment share one call, and it bounds how many wait.
        recheck: inside the cache: reads again what was served, if that is configured.
        breaker: inside both, so that no request is refused what is cached.
        waits: how long hosts may wait for the store, and have.
        metered: inside both, so that it times the calls really made; None without metrics.
    """

    def __init__(
        self,
        parts: StoreParts,
        settings: Settings,
        metrics: Metrics | None,
        tracing: Tracing,
        clock: Clock,
        *,
        lateness: Lateness,
        context: StoreContext,
    ) -> None:
        self.parts = parts
        self._clock = clock
        self._on_forget: list[Callable[[Selection], None]] = []
        store = tracing.store(BoundedSecretStore(parts.store, clock, lateness), parts.server)
        self.metered: MeteredSecretStore | None = None
        if metrics is not None:
            from adapters.metrics.secret_store import MeteredSecretStore  # noqa: PLC0415  see admin

            self.metered = MeteredSecretStore(store, metrics, clock)
        self.breaker = BreakingSecretStore(
            self.metered or store, BreakerConfig(), clock, random.random
        )
        self.waits = HostWaits(settings.host_freeze_seconds, self.breaker)
        call_seconds = self.waits.longest(settings.request_timeout_seconds)
        self.recheck = self._recheck(settings, context, call_seconds)
        self.cache = CachedSecretStore(
            self.recheck or self.breaker,
            cache_config(settings, parts.cache_ttl_seconds, call_seconds),
            clock,
            random.random,
            partition=parts.partition,
        )

    async def aclose(self) -> None:
        """End calls in flight, then the store's own connections."""
        try:
            await self.cache.aclose()
        finally:
            await self.parts.close()

    @property
    def recheck_run(self) -> Callable[[], Awaitable[None]] | None:
        """The background task of the recheck; None without one."""
        return None if self.recheck is None else self.recheck.run

    def forget(self, selection: Selection) -> int:
        """Drop what is selected from the cache and return how many values that were."""
        if self.recheck is not None:
            self.recheck.invalidate(selection)
        removed = self.cache.invalidate(selection)
        for listener in self._on_forget:
            listener(selection)
        return removed

    def on_forget(self, listener: Callable[[Selection], None]) -> None:
        """Have `listener` called with each selection that is announced as changed."""
        self._on_forget.append(listener)

    def samples(self) -> Iterator[Sample]:
        """Yield the figures of the store and its layers for metrics."""
        from adapters.cache.samples import cache_samples, recheck_samples  # noqa: PLC0415  see admin
        from adapters.metrics.secret_store import host_wait_samples  # noqa: PLC0415  likewise

        yield from breaker_samples(self.breaker.state())
        yield from host_wait_samples(self.waits)
        yield from cache_samples(self.cache.statistics())
        if self.recheck is not None:
            yield from recheck_samples(self.recheck.statistics())

    def _recheck(
        self, settings: Settings, context: StoreContext, call_seconds: float
    ) -> RecheckedSecretStore | None:
        seconds = settings.cache_recheck_seconds
        if seconds is None:
            return None
        from adapters.cache.recheck import RecheckedSecretStore  # noqa: PLC0415  if it is set
        from adapters.cache.recheck_config import RecheckConfig  # noqa: PLC0415  likewise

        if self.parts.partition is not None:
            problem = Problem(
                "CACHE_RECHECK_SECONDS",
                "must be unset: this store answers each caller by its own rights, and nothing is "
                "read in a caller's name that does not ask.",
            )
            raise SettingsError(problem)
        reads = worker_share(settings.cache_recheck_reads_per_minute, context) or 1
        config = RecheckConfig(seconds, reads, settings.cache_max_entries, call_seconds)
        return RecheckedSecretStore(
            self.breaker, config, self._clock, context.jitter, context.changed
        )

    def proof(self) -> float | None:
        """Return the monotonic seconds at which a request last got its value from the store."""
        return None if self.metered is None else self.metered.last_success()

    def disproof(self) -> Disproof | None:
        """Return what says that the store does not answer, or not to this service's credentials.

        What the store itself names is certain for as long as it lasts, and asking would not change
        it. A breaker that is open is certain until something has been answered since. A single call
        that failed may have been one for a secret that is broken by itself: a check has to tell.
        """
        from adapters.admin_http.readiness import Disproof  # noqa: PLC0415  see bootstrap.admin

        problem = self.parts.problem()
        if problem is not None:
            return Disproof(self._clock.monotonic(), problem)
        failed_at = None if self.metered is None else self.metered.failed_at()
        if failed_at is None:
            return None
        is_closed = self.breaker.state().state is State.CLOSED
        return Disproof(failed_at, "" if is_closed else LEFT_ALONE)


def cache_config(settings: Settings, store_ttl_seconds: float, call_seconds: float) -> CacheConfig:
    """Return what is kept, and how much of it."""
    ttl_seconds = freshness_seconds(settings, store_ttl_seconds)
    return CacheConfig(
        ttl_seconds=ttl_seconds,
        max_stale_seconds=settings.cache_max_stale_seconds,
        # Where no value is answered from memory, "there is none" is not either.
        negative_seconds=min(LONGEST_NEGATIVE_SECONDS, ttl_seconds),
        call_seconds=call_seconds,
        max_entries=settings.cache_max_entries,
        max_bytes=settings.cache_max_bytes,
        max_waiting=places_to_wait(settings.max_in_flight),
    )


def freshness_seconds(settings: Settings, store_ttl_seconds: float) -> float:
    """Return how long values are kept: as the operator says, or else as the store does."""
    ttl_seconds = settings.cache_ttl_seconds
    return store_ttl_seconds if ttl_seconds is None else ttl_seconds


def places_to_wait(max_in_flight: int) -> int:
    """Return how many of the requests in flight may wait for the store, 1 at least.

    The others can only be about to be answered or refused, so a store that hangs leaves room for
    answers from memory and for `server_xkey`.
    """
    return max(1, max_in_flight * 3 // 4)
