"""The decorator: fails at once while the store is down, and finds out by single calls when not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import structlog
from typing_extensions import override

from adapters.breaker.circuit import Circuit, Outcome, State
from domain.model.errors import (
    CallFailed,
    CallWithheld,
    InvalidRequest,
    PolicyError,
    SecretsError,
    ServiceStarved,
    StoreUnavailable,
)
from domain.model.wording import seconds_in_words
from ports.plugin import Sample
from ports.secret_store import SecretStore, StoreHealth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.breaker.circuit import BreakerConfig, Call
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from ports.clock import Clock

CIRCUIT_OPEN = "store_circuit_open"
"""`reason` of the errors raised without asking the store."""

_log = structlog.get_logger()


class BreakerState(NamedTuple):
    """What a metric shows.

    Attributes:
        state: "closed", "open" or "half_open".
        since: when it came into this state, in monotonic seconds.
        opened_count: how often the store was found to be down; failed probes do not count again.
        refused_count: requests refused without asking the store.
    """

    state: State
    since: float
    opened_count: int
    refused_count: int


def outcome_of(error: SecretsError) -> Outcome:
    """Return what the error of a call says about its store: ADR 92."""
    if isinstance(error, CallFailed):
        return Outcome.ANSWERED
    if isinstance(error, StoreUnavailable):
        return Outcome.FAILED
    if isinstance(error, (CallWithheld, ServiceStarved, InvalidRequest, PolicyError)):
        return Outcome.NOTHING
    return Outcome.ANSWERED


class BreakingSecretStore(SecretStore, StoreHealth):
    """Passes calls on while the store works; safe for concurrent calls of one event loop."""

    def __init__(
        self, inner: SecretStore, config: BreakerConfig, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._circuit = Circuit(config, jitter, clock.monotonic())
        self._refused = 0

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._inner.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        call = self._admit(query)
        if call is None:
            raise self._refusal()
        outcome = Outcome.NOTHING
        try:
            secret = await self._inner.fetch(query)
            outcome = Outcome.ANSWERED
        except SecretsError as error:
            outcome = outcome_of(error)
            raise
        finally:
            before = self._circuit.state
            self._circuit.end(call, outcome, self._clock.monotonic())
            self._log_change(before)
        return secret

    @property
    @override
    def is_down(self) -> bool:
        return self._circuit.state is not State.CLOSED

    def state(self) -> BreakerState:
        """Return how things stand now."""
        circuit = self._circuit
        return BreakerState(circuit.state, circuit.since, circuit.opened_count, self._refused)

    def _admit(self, query: SecretQuery) -> Call | None:
        before = self._circuit.state
        call = self._circuit.admit(query.location, self._clock.monotonic())
        self._log_change(before)
        return call

    def _refusal(self) -> StoreUnavailable:
        self._refused += 1
        seconds = self._circuit.retry_in(self._clock.monotonic())
        return StoreUnavailable(
            f"The secret store is failing; it is asked again in {seconds_in_words(seconds)}. Check "
            "its health, then start the component again.",
            reason=CIRCUIT_OPEN,
            retry_after=seconds,
        )

    def _log_change(self, before: State) -> None:
        state = self._circuit.state
        if state is before:
            return
        if state is State.CLOSED:
            _log.info("breaker.closed")
        elif state is State.HALF_OPEN:
            _log.info("breaker.half_open")
        else:
            seconds = self._circuit.retry_in(self._clock.monotonic())
            _log.warning(
                "breaker.opened", seconds=round(seconds, 1), opened_count=self._circuit.opened_count
            )


def breaker_samples(state: BreakerState) -> Iterator[Sample]:
    """Yield every figure of the breaker as it is now."""
    yield Sample(
        "store_circuit_open",
        "1 while the store counts as down and is left alone, otherwise 0.",
        state.state is not State.CLOSED,
    )
    yield Sample(
        "store_circuit_opened_total",
        "Times that the store was found to be down.",
        state.opened_count,
        kind="counter",
    )
    yield Sample(
        "store_circuit_refused_total",
        "Calls refused at once because the store counts as down.",
        state.refused_count,
        kind="counter",
    )
