"""The circuit breaker's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.breaker.circuit import State
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.breaker.store import BreakerState


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
