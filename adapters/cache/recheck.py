"""Reads again, slowly, what was served, and announces changes that no notice announced.

A host never reads a secret again by itself, so that a change whose notice was lost would stay
unseen. What requests read is compared on the way as well, which costs nothing.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import count
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.cache.recheck_config import RecheckStatistics
from adapters.upstream.limits import SlidingWindowLimit
from domain.model.errors import RateLimited, SecretNotFound, SecretsError, StoreUnavailable
from domain.model.secret import STALE
from domain.model.selection import Selection
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.cache.recheck_config import RecheckConfig
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from ports.clock import Clock

LATEST_SHARE, SPREAD_SHARE = 0.9, 0.5
"""A secret is due after 0.4 to 0.9 of the interval, drawn each time: what was read in one moment,
as in a rollout, is not read again in one, and there is time left to wait for the rate."""

TICK_SECONDS: Final = 0.25
OUTAGE_PAUSE_SECONDS: Final = 30.0
"""After a failure of the store, or for as long as it asks for if that is longer."""

_GONE: Final = b""
_log = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    query: SecretQuery
    fingerprint: bytes = field(repr=False)
    read_at: float
    due: float
    noticed_at: float | None = None
    """When a notice came for it; its value is then learned, and not announced again."""


@final
class RecheckedSecretStore(SecretStore):
    """Stands behind the cache, before the store; for stores that answer all callers alike.

    Versions asked for by name are left out, since these do not change.
    """

    def __init__(
        self,
        inner: SecretStore,
        config: RecheckConfig,
        clock: Clock,
        jitter: Callable[[], float],
        changed: Callable[[Selection], Awaitable[None]],
    ) -> None:
        """Wrap a store.

        Args:
            inner: is read again; it ends its calls at the query's deadline.
            changed: as `StoreContext.changed`.
        """
        self._inner = inner
        self._config = config
        self._clock = clock
        self._jitter = jitter
        self._changed = changed
        self._key = token_bytes(32)
        self._known: OrderedDict[SecretLocation, _Known] = OrderedDict()
        self._queue: list[tuple[float, int, _Known]] = []
        self._numbers = count()
        self._noticed: dict[SecretLocation, None] = {}
        self._window = SlidingWindowLimit(config.reads_per_minute)
        self._next_at = self._late_warned_at = 0.0
        self._counts = RecheckStatistics()

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        asked_at = self._clock.monotonic()
        try:
            secret = await self._inner.fetch(query)
        except SecretNotFound:
            if query.version is None and query.location in self._known:
                self._compare(query, _GONE, asked_at)
            raise
        if query.version is None and query.entity_token is None and secret.source != STALE:
            self._compare(query, self._fingerprint(secret), asked_at)
        return secret

    def invalidate(self, selection: Selection) -> None:
        """Note that a notice came for these; they are read again first, to learn their values."""
        now = self._clock.monotonic()
        for location, known in self._known.items():
            if selection.matches(location):
                known.noticed_at = now
                self._noticed[location] = None

    def statistics(self) -> RecheckStatistics:
        """Return what was done so far, as of now."""
        now = self._clock.monotonic()
        oldest = min((known.read_at for known in self._known.values()), default=now)
        return replace(self._counts, secrets=len(self._known), oldest_seconds=now - oldest)

    async def run(self) -> None:
        """Read again what is due, until cancelled."""
        while True:
            known = self._next(self._clock.monotonic())
            if known is None:
                await self._clock.sleep(TICK_SECONDS)
            else:
                await self._read_again(known)

    def _next(self, now: float) -> _Known | None:
        """Return what to read now: first what a notice came for, then what is due for longest."""
        if not self._window.capacity(now):
            return None
        while self._noticed:
            location = next(iter(self._noticed))
            if location in self._known:
                return self._known[location]
            del self._noticed[location]
        while self._queue:
            due, number, known = self._queue[0]
            if self._known.get(known.query.location) is not known:
                heapq.heappop(self._queue)
            elif known.due != due:
                heapq.heapreplace(self._queue, (known.due, number, known))
            else:
                return known if max(due, self._next_at) <= now else None
        return None

    async def _read_again(self, known: _Known) -> None:
        now = self._clock.monotonic()
        self._next_at = max(self._next_at, now + 60.0 / self._config.reads_per_minute)
        self._noticed.pop(known.query.location, None)
        self._warn_if_late(now - known.read_at, now)
        self._window.begin()
        try:
            await self.fetch(known.query._replace(deadline=now + self._config.call_seconds))
            self._counts.read += 1
        except SecretNotFound:
            self._counts.read += 1
        except SecretsError as error:
            self._counts.failed += 1
            self._after_failure(known, error)
        finally:
            self._window.end(self._clock.monotonic())

    def _after_failure(self, known: _Known, error: SecretsError) -> None:
        now = self._clock.monotonic()
        if isinstance(error, (StoreUnavailable, RateLimited)):
            self._next_at = now + max(OUTAGE_PAUSE_SECONDS, error.retry_after or 0.0)
        else:
            # Refused to this service, or broken: that says nothing of the value.
            known.due = now + self._config.seconds
        _log.info("cache.recheck_failed", reason=error.reason)

    def _warn_if_late(self, age: float, now: float) -> None:
        if age <= self._config.seconds or now < self._late_warned_at + self._config.seconds:
            return
        self._late_warned_at = now
        _log.warning(
            "cache.recheck_late",
            age_seconds=round(age),
            secrets=len(self._known),
            advice="Raise CACHE_RECHECK_READS_PER_MINUTE or CACHE_RECHECK_SECONDS: with these, "
            "not every secret is read again in time.",
        )

    def _compare(self, query: SecretQuery, fingerprint: bytes, asked_at: float) -> None:
        location = query.location
        share = LATEST_SHARE - SPREAD_SHARE * self._jitter()
        due = asked_at + self._config.seconds * share
        known = self._known.get(location)
        if known is None:
            known = self._known[location] = _Known(query, fingerprint, asked_at, due)
            heapq.heappush(self._queue, (due, next(self._numbers), known))
            while len(self._known) > self._config.max_secrets:
                self._known.popitem(last=False)
        elif asked_at < max(known.read_at, known.noticed_at or 0.0):
            # Overtaken by a later read, or by a notice.
            return
        was_noticed, is_same = known.noticed_at is not None, known.fingerprint == fingerprint
        known.fingerprint, known.read_at, known.due = fingerprint, asked_at, due
        known.noticed_at = None
        self._noticed.pop(location, None)
        if fingerprint == _GONE:
            del self._known[location]
        if not (was_noticed or is_same):
            self._counts.found += 1
            _log.info("cache.change_found", path=location.path, **dict(location.scope))
            self._changed(Selection(key=location.path, scope=location.scope))

    def _fingerprint(self, secret: Secret) -> bytes:
        value = secret.value.reveal()
        is_text = isinstance(value, str)
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return blake2b(data, key=self._key, person=b"text" if is_text else b"bytes").digest()
