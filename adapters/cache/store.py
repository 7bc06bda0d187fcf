"""The cache: fresh answers from memory, one call for all that ask, stale answers in an outage."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.cache.failures import FailureMemory, is_outage, may_be_kept
from adapters.cache.fair_admission import FairAdmission
from adapters.cache.single_flight import InFlightCall, SingleFlight, with_time_for_others
from adapters.cache.statistics import CacheStatistics
from adapters.cache.values import CachedValues
from domain.model.errors import SecretsError
from domain.model.workload import signed
from ports.secret_store import CachedSecrets, SecretStore

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.cache.config import CacheConfig
    from adapters.cache.fair_admission import Ticket
    from adapters.cache.key import CacheKey
    from domain.model.identity import Caller
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from domain.model.selection import Selection
    from ports.clock import Clock

_STALE_MARGIN = 0.1
"""The part of a request's time kept for answering with a stale value."""

_log = structlog.get_logger()


class CachedSecretStore(SecretStore, CachedSecrets):
    """Caches the answers of another store for one event loop. Stands behind authorization.

    A value from memory is at most `ttl_seconds` old, counted from when the store was asked, unless
    the store is out; one from a call in flight is as old as that call. `Secret.max_age_seconds`
    bounds both. Every answer of the store but an outage ends a cached value at once.

    A request that gets no fresh value from memory waits for the store, and only so many may.
    """

    def __init__(
        self,
        inner: SecretStore,
        config: CacheConfig,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        partition: Callable[[Caller], Hashable] | None = None,
    ) -> None:
        """Wrap a store.

        Args:
            inner: asked when nothing fresh is cached; it ends its calls at the query's deadline.
            partition: callers of equal partitions share answers; None where all callers do.
        """
        self._inner = inner
        self._config = config
        self._clock = clock
        self._partition = partition
        self._counts = CacheStatistics()
        self._values = CachedValues(config, jitter, self._counts)
        self._failures = FailureMemory(config.negative_seconds)
        self._calls = SingleFlight()
        self._admission = FairAdmission(config.max_waiting)

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        return self.cached(query) or await self._fetch_uncached(
            self._key(query), query, self._clock.monotonic()
        )

    @override
    def cached(self, query: SecretQuery) -> Secret | None:
        key = self._key(query)
        now = self._clock.monotonic()
        found = self._values.fresh(key, now)
        if found is None:
            return None
        secret, refresh = found
        if refresh:
            self._refresh(key, query, now)
        return secret

    def statistics(self) -> CacheStatistics:
        """Return what was done so far, as of now."""
        admission = self._admission
        now = {"entries": len(self._values), "bytes": self._values.bytes}
        waiting = {"waiting": admission.waiting, "waiting_limit": admission.limit}
        return replace(self._counts, **now, **waiting)

    def invalidate(self, selection: Selection) -> int:
        """Drop what is selected and return the number of values dropped.

        Calls in flight answer the requests that wait for them already, but are not cached, and no
        later request joins them.
        """
        dropped = self._values.drop(selection)
        self._failures.drop(selection)
        detached = self._calls.detach(selection)
        self._counts.flushed += dropped
        _log.info("cache.flushed", values=dropped, calls_under_way=detached)
        return dropped

    async def aclose(self) -> None:
        """End all calls in flight, before the store itself is closed."""
        await self._calls.aclose()

    def _key(self, query: SecretQuery) -> CacheKey:
        partition = None if self._partition is None else self._partition(signed(query.caller))
        return query.location, query.version, partition

    async def _fetch_uncached(self, key: CacheKey, query: SecretQuery, now: float) -> Secret:
        failure = self._failures.get(key, now)
        if failure is not None:
            self._counts.negative_hits += 1
            return self._fall_back(key, failure)
        ticket = self._admission.enter(query.location.folder, query.deadline)
        if ticket is None:
            return self._refuse(key, now)
        try:
            call = self._join(key, query, now)
            if self._values.has_stale(key, now):
                await self._wait_patiently(call, ticket, query.deadline, now)
                if (
                    not call.task.done()
                    and (stale := self._values.stale(key, self._clock.monotonic())) is not None
                ):
                    return stale
            ended = await call.wait(ticket)
        finally:
            self._admission.leave(ticket)
        if not ended:
            return self._refuse(key, self._clock.monotonic())
        outcome = call.outcome()
        return self._fall_back(key, outcome) if isinstance(outcome, SecretsError) else outcome

    async def _wait_patiently(
        self, call: InFlightCall, ticket: Ticket, deadline: float, now: float
    ) -> None:
        """Wait for a call for as long as is sensible where a stale value is cached."""
        # Early enough to answer by the request's deadline.
        latest = deadline - _STALE_MARGIN * (deadline - now)
        patience = min(call.started + self._config.patience_seconds, latest)
        with suppress(TimeoutError):
            async with self._clock.timeout_at(patience):
                await call.wait(ticket)

    def _join(self, key: CacheKey, query: SecretQuery, now: float) -> InFlightCall:
        call = self._calls.get(key)
        if call is not None:
            self._counts.shared += 1
            call.background = False
            return call
        self._counts.misses += 1
        return self._start(key, query, now, background=False)

    def _refuse(self, key: CacheKey, now: float) -> Secret:
        self._counts.refused += 1
        return self._fall_back(key, self._admission.refusal(key[0].folder, now))

    def _refresh(self, key: CacheKey, query: SecretQuery, now: float) -> None:
        if self._calls.get(key) is None:
            self._counts.refreshes += 1
            self._start(key, query, now, background=True)

    def _start(
        self, key: CacheKey, query: SecretQuery, now: float, *, background: bool
    ) -> InFlightCall:
        shared = with_time_for_others(query, now, self._config.call_seconds)
        call = InFlightCall(now, background)
        self._calls.start(key, call, partial(self._call, key, shared))
        return call

    async def _call(
        self, key: CacheKey, query: SecretQuery, call: InFlightCall
    ) -> Secret | SecretsError:
        outcome: Secret | SecretsError
        try:
            outcome = await self._inner.fetch(query)
        except SecretsError as error:
            outcome = error.again()
        except Exception:
            if self._calls.finish(key, call):
                self._values.discard(key)
            raise
        # After an invalidation the answer may be older than the change that caused it.
        if self._calls.finish(key, call):
            now = self._clock.monotonic()
            if isinstance(outcome, SecretsError):
                self._note_failure(key, outcome, call, now)
            else:
                self._values.keep(key, outcome, call.started, now)
        return outcome

    def _note_failure(
        self, key: CacheKey, failure: SecretsError, call: InFlightCall, now: float
    ) -> None:
        if not is_outage(failure):
            self._values.discard(key)
        elif call.background:
            # No request was kept waiting: after expiry, the next one makes a call of its own.
            self._values.stop_refreshing(key)
            return
        if may_be_kept(failure):
            self._failures.keep(key, failure, now)

    def _fall_back(self, key: CacheKey, failure: SecretsError) -> Secret:
        stale = self._values.stale(key, self._clock.monotonic()) if is_outage(failure) else None
        if stale is None:
            raise failure.again()
        return stale
