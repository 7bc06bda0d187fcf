"""A secret store whose calls are timed, by how they end; and what hosts have waited for it."""

from __future__ import annotations

import math
from asyncio import CancelledError
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.metrics import catalogue
from adapters.metrics.catalogue import STORE_OUTCOMES
from adapters.upstream.statistics import Histogram
from domain.model.errors import (
    InvalidRequest,
    RateLimited,
    SecretNotFound,
    SecretsError,
    ServiceStarved,
    StoreTooSlow,
    Unauthorized,
    UpstreamError,
)
from ports.plugin import Sample
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.metrics.registry import Metrics
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from domain.use_cases.host_waits import HostWaits
    from ports.clock import Clock

_ANSWERS: Final = frozenset({"ok", "not_found", "unauthorized"})
_FAILURES: Final = frozenset({"upstream_error", "timed_out", "failed"})


_OUTCOMES: Final = (
    (SecretNotFound, "not_found"),
    (Unauthorized, "unauthorized"),
    (InvalidRequest, "invalid_request"),
    (StoreTooSlow, "timed_out"),
    (ServiceStarved, "service_starved"),
    (UpstreamError, "upstream_error"),
)
"""By class, the narrower ones before those they belong to."""


def _outcome_of(error: SecretsError) -> str:
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "failed")


class MeteredSecretStore(SecretStore):
    """Passes everything on to `inner`, and times what it passes on.

    Put directly around the store, inside any cache, so that it sees the calls really made.
    """

    def __init__(self, inner: SecretStore, metrics: Metrics, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._durations = {
            outcome: Histogram(catalogue.DURATION_BUCKETS) for outcome in STORE_OUTCOMES
        }
        self._in_flight = 0
        self._last_success: float | None = None
        self._answered_at = -math.inf
        self._failed_at: float | None = None
        metrics.watch(self.samples)

    def samples(self) -> Iterator[Sample]:
        """Yield every metric of calls as it is now."""
        yield catalogue.STORE_IN_FLIGHT.sample(self._in_flight)
        for outcome, taken in self._durations.items():
            yield catalogue.STORE_DURATION.timed(taken, (outcome,))

    def last_success(self) -> float | None:
        """Return the monotonic seconds at which the store last gave a value; None before."""
        return self._last_success

    def failed_at(self) -> float | None:
        """Return the monotonic seconds at which a call last failed; None if it has answered since.

        A call that failed while others were answered is none: what it asked for is slow.
        """
        return self._failed_at

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        started = self._clock.monotonic()
        outcome = "failed"
        is_limited = False
        self._in_flight += 1
        try:
            secret = await self._inner.fetch(query)
            outcome = "ok"
        except CancelledError:
            outcome = "cancelled"
            raise
        except SecretsError as error:
            outcome = _outcome_of(error)
            is_limited = isinstance(error, RateLimited)
            raise
        finally:
            ended = self._clock.monotonic()
            self._in_flight -= 1
            self._durations[outcome].add(ended - started)
            if outcome in _ANSWERS:
                self._answered_at, self._failed_at = ended, None
            elif outcome in _FAILURES and not is_limited:
                self._failed_at = ended if started >= self._answered_at else self._failed_at
        self._last_success = ended
        return secret


def host_wait_samples(waits: HostWaits) -> Iterator[Sample]:
    """Yield every figure as it is now."""
    yield Sample(
        "hosts_frozen_seconds_total",
        "Time that hosts, all their components locked, waited a second or longer for the store.",
        waits.frozen_seconds,
        kind="counter",
    )
    yield Sample(
        "host_waits_cut_short_total",
        "Requests that got less time because of what their host had waited in the same start.",
        waits.cut_short,
        kind="counter",
    )
