"""The decorator: fresh answers from memory, one call for all who ask, stale ones in an outage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from adapters.cache.asking import ask, with_time_for_others
from adapters.cache.entries import Entries, Entry
from adapters.cache.failures import DEADLINE_PASSED, TIMED_OUT, Failure, FailureMemory
from adapters.cache.flights import Flight, Flights
from adapters.cache.sealing import ValueSealer
from adapters.cache.statistics import CacheStatistics
from adapters.cache.waiting_room import WaitingRoom
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

    A value from memory is at most `ttl_seconds` old, counted from when the store was asked, unless
    the store is out; one from a call under way is as old as that call. Everything the store answers
    but an outage ends a kept value at once.

    Whoever gets no fresh value from memory waits for the store, and only so many may.
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
        self._room = WaitingRoom(config.max_waiting)
        self._counts = CacheStatistics()

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        return self.at_hand(query) or await self._fetch_anew(
            self._key(query), query, self._clock.monotonic()
        )

    @override
    def at_hand(self, query: SecretQuery) -> Secret | None:
        key = self._key(query)
        entry = self._entries.get(key)
        now = self._clock.monotonic()
        if entry is None or now >= entry.fresh_until:
            return None
        self._counts.hits += 1
        entry.hits += 1
        if now >= entry.refresh_at and entry.hits >= self._config.refresh_min_hits:
            self._refresh(key, query, now)
        return self._open(entry, FROM_CACHE)

    def statistics(self) -> CacheStatistics:
        """Return what was done so far, as of now."""
        entries, room = self._entries, self._room
        now = {"entries": len(entries), "bytes": entries.bytes}
        return replace(self._counts, **now, waiting=room.taken, waiting_limit=room.places)

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

    def _key(self, query: SecretQuery) -> CacheKey:
        return query.location, query.version, query.caller if self._per_caller else None

    async def _fetch_anew(self, key: CacheKey, query: SecretQuery, now: float) -> Secret:
        failure = self._failures.get(key, now)
        if failure is not None:
            self._counts.remembered += 1
            return self._fall_back(key, failure)
        seat = self._room.enter(query.location.folder, query.deadline)
        if seat is None:
            return self._turn_away(key, now)
        try:
            flight = self._board(key, query, now)
            if self._peek_stale(key) is not None:
                # Early enough to answer: a deadline that passes here passes for the core as well.
                latest = query.deadline - _STALE_MARGIN * (query.deadline - now)
                patience = min(flight.started + self._config.patience_seconds, latest)
                if not await flight.landed_by(patience, self._clock, seat):
                    stale = self._serve_stale(key)
                    if stale is not None:
                        return stale
            landed = await flight.landed_by(query.deadline, self._clock, seat)
        finally:
            self._room.leave(seat)
        if not landed and seat.given_up:
            return self._turn_away(key, self._clock.monotonic())
        outcome = flight.outcome() if landed else TIMED_OUT
        return self._fall_back(key, outcome) if isinstance(outcome, Failure) else outcome

    def _board(self, key: CacheKey, query: SecretQuery, now: float) -> Flight:
        flight = self._flights.get(key)
        if flight is not None:
            self._counts.shared += 1
            flight.background = False
            return flight
        self._counts.misses += 1
        return self._call(key, query, now, background=False)

    def _turn_away(self, key: CacheKey, now: float) -> Secret:
        self._counts.refused += 1
        return self._fall_back(key, self._room.refusal(key[0].folder, now))

    def _refresh(self, key: CacheKey, query: SecretQuery, now: float) -> None:
        if self._flights.get(key) is None:
            self._counts.refreshes += 1
            self._call(key, query, now, background=True)

    def _call(self, key: CacheKey, query: SecretQuery, now: float, *, background: bool) -> Flight:
        shared = with_time_for_others(query, now, self._config.call_seconds)
        flight = Flight(now, shared.deadline, background)
        self._flights.start(key, flight, partial(self._fly, key, shared))
        return flight

    async def _fly(self, key: CacheKey, query: SecretQuery, flight: Flight) -> Secret | Failure:
        try:
            outcome = await ask(self._inner, query, self._clock, self._outages)
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
        is_fresh = self._clock.monotonic() < entry.fresh_until
        self._counts.stale += not is_fresh
        return self._open(entry, FROM_CACHE if is_fresh else STALE)

    def _open(self, entry: Entry, source: str) -> Secret:
        return Secret(
            entry.version, self._sealer.open(entry.sealed), entry.upstream_request_id, source
        )
