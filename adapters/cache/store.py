"""The decorator: fresh answers from memory, one call for all who ask, stale ones in an outage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.cache.entries import Entries, Entry
from adapters.cache.failures import DEADLINE_PASSED, TIMED_OUT, Failure, FailureMemory
from adapters.cache.flights import Flight, Flights
from adapters.cache.sealing import ValueSealer
from adapters.cache.statistics import CacheStatistics
from domain.model.errors import SecretsError
from domain.model.secret import Secret
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from adapters.cache.config import CacheConfig
    from adapters.cache.key import CacheKey
    from adapters.cache.selection import CacheSelection
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from ports.clock import Clock

FROM_CACHE = "cache"
"""`Secret.source` of a fresh answer from memory."""

STALE = "stale"
"""`Secret.source` of an answer past its time, served because the store is out."""

_STALE_MARGIN = 0.1
"""The part of a request's time kept for answering with a stale value."""

_log = structlog.get_logger()


class CachedSecretStore(SecretStore):
    """Keeps the answers of another store for one event loop. Stands behind authorization.

    A value is at most `ttl_seconds` old, counted from when the store was asked, unless the store is
    out. Everything the store answers but an outage ends a kept value at once.
    """

    def __init__(
        self,
        inner: SecretStore,
        config: CacheConfig,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        per_caller: bool = False,
        outages: AbstractSet[str] = frozenset(),
    ) -> None:
        """Wrap a store.

        Args:
            inner: asked when nothing fresh is at hand.
            config: times and bounds.
            clock: only its monotonic time is used.
            jitter: draws from 0 to 1, such as `random.random`.
            per_caller: the store answers each caller for itself, so that answers are not shared.
            outages: the `reason` codes of those of its UpstreamErrors that mean unreachable,
                failing or rate limited. With any other, as with refused credentials, no stale value
                is served; a call that took too long is always an outage.
        """
        self._inner = inner
        self._config = config
        self._clock = clock
        self._jitter = jitter
        self._per_caller = per_caller
        self._outages = outages | {DEADLINE_PASSED}
        self._sealer = ValueSealer()
        self._entries = Entries(config.max_entries, config.max_bytes)
        self._failures = FailureMemory(config.negative_seconds)
        self._flights = Flights()
        self._counts = CacheStatistics()

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        key = (query.location, query.version, query.caller if self._per_caller else None)
        entry = self._entries.get(key)
        now = self._clock.monotonic()
        if entry is None or now >= entry.fresh_until:
            return await self._fetch_anew(key, query, now)
        self._counts.hits += 1
        entry.hits += 1
        if now >= entry.refresh_at and entry.hits >= self._config.refresh_min_hits:
            self._refresh(key, query, now)
        return self._open(entry, FROM_CACHE)

    def statistics(self) -> CacheStatistics:
        """Return what was done so far, as of now."""
        return replace(self._counts, entries=len(self._entries), bytes=self._entries.bytes)

    def invalidate(self, selection: CacheSelection) -> int:
        """Drop what is selected and return the number of values dropped.

        Calls under way answer those who wait for them already, but are not kept, and no later
        request joins them.
        """
        dropped = self._entries.drop(selection)
        self._failures.drop(selection)
        detached = self._flights.detach(selection)
        self._counts.flushed += dropped
        _log.info("cache.flushed", values=dropped, calls_under_way=detached)
        return dropped

    async def aclose(self) -> None:
        """End all calls under way, before the store itself is closed."""
        await self._flights.aclose()

    async def _fetch_anew(self, key: CacheKey, query: SecretQuery, now: float) -> Secret:
        failure = self._failures.get(key, now)
        if failure is not None:
            self._counts.remembered += 1
            return self._fall_back(key, failure)
        flight = self._flights.get(key)
        if flight is not None:
            self._counts.shared += 1
            flight.background = False
        else:
            self._counts.misses += 1
            flight = self._call(key, query, now, background=False)
        if self._peek_stale(key) is not None:
            # Early enough to answer: a deadline that passes here passes for the core as well.
            latest = query.deadline - _STALE_MARGIN * (query.deadline - now)
            patience = min(flight.started + self._config.patience_seconds, latest)
            if not await flight.landed_by(patience, self._clock):
                stale = self._serve_stale(key)
                if stale is not None:
                    return stale
        landed = await flight.landed_by(query.deadline, self._clock)
        outcome = flight.outcome() if landed else TIMED_OUT
        return self._fall_back(key, outcome) if isinstance(outcome, Failure) else outcome

    def _refresh(self, key: CacheKey, query: SecretQuery, now: float) -> None:
        if self._flights.get(key) is None:
            self._counts.refreshes += 1
            self._call(key, query, now, background=True)

    def _call(self, key: CacheKey, query: SecretQuery, now: float, *, background: bool) -> Flight:
        flight = Flight(now, background)
        # Others may join who have more time left than the request that happened to come first.
        deadline = max(query.deadline, now + self._config.call_seconds)
        shared_query = replace(query, deadline=deadline)
        self._flights.start(key, flight, partial(self._fly, key, shared_query))
        return flight

    async def _fly(self, key: CacheKey, query: SecretQuery, flight: Flight) -> Secret | Failure:
        try:
            outcome = await self._ask(query)
        except Exception:
            if self._flights.finish(key, flight):
                self._entries.discard(key)
            raise
        # After an invalidation the answer may be older than what it was to make room for.
        if self._flights.finish(key, flight):
            now = self._clock.monotonic()
            if isinstance(outcome, Failure):
                self._note_failure(key, outcome, flight, now)
            else:
                self._keep(key, outcome, flight.started, now)
        return outcome

    async def _ask(self, query: SecretQuery) -> Secret | Failure:
        try:
            async with self._clock.timeout_at(query.deadline):
                return await self._inner.fetch(query)
        except TimeoutError:
            return TIMED_OUT
        except SecretsError as error:
            return Failure.of(error, self._outages)

    def _keep(self, key: CacheKey, secret: Secret, asked_at: float, now: float) -> None:
        config = self._config
        # Only ever shorter: the TTL is a promise to whoever rotates a secret.
        lifetime = config.ttl_seconds * (1 - config.jitter_share * self._jitter())
        fresh_until = asked_at + lifetime
        stale_until = fresh_until + config.max_stale_seconds
        if stale_until <= now:
            self._entries.discard(key)
            return
        entry = Entry(
            sealed=self._sealer.seal(secret.value),
            version=secret.version,
            upstream_request_id=secret.upstream_request_id,
            refresh_at=asked_at + config.refresh_share * lifetime,
            fresh_until=fresh_until,
            stale_until=stale_until,
        )
        self._counts.evictions += self._entries.put(key, entry, now)

    def _note_failure(self, key: CacheKey, failure: Failure, flight: Flight, now: float) -> None:
        if not failure.is_outage:
            self._entries.discard(key)
        elif flight.background:
            # Nobody was kept waiting: once it expires, the next request tries for itself.
            entry = self._entries.get(key)
            if entry is not None:
                entry.refresh_at = entry.fresh_until
            return
        if failure.may_be_remembered:
            self._failures.remember(key, failure, now)

    def _fall_back(self, key: CacheKey, failure: Failure) -> Secret:
        stale = self._serve_stale(key) if failure.is_outage else None
        if stale is None:
            raise failure.error()
        return stale

    def _peek_stale(self, key: CacheKey) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None and self._clock.monotonic() >= entry.stale_until:
            self._entries.discard(key)
            return None
        return entry

    def _serve_stale(self, key: CacheKey) -> Secret | None:
        # Looked up again each time: it may have been dropped, or renewed, during the wait.
        entry = self._peek_stale(key)
        if entry is None:
            return None
        if self._clock.monotonic() < entry.fresh_until:
            return self._open(entry, FROM_CACHE)
        self._counts.stale += 1
        return self._open(entry, STALE)

    def _open(self, entry: Entry, source: str) -> Secret:
        return Secret(
            entry.version, self._sealer.open(entry.sealed), entry.upstream_request_id, source
        )
