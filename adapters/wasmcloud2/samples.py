"""The relay's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sized

    from adapters.wasmcloud2.message import RelayFigures


class RelayState(Protocol):
    """As `adapters.wasmcloud2.relay.Relay` has it."""

    @property
    def figures(self) -> RelayFigures: ...

    @property
    def in_flight(self) -> int: ...

    @property
    def held(self) -> Sized: ...


def relay_samples(relay: RelayState, connected: Mapping[str, bool]) -> Iterable[Sample]:
    """Yield what passes, what holds secrets, and what was refused or lost.

    Args:
        relay: which one.
        connected: whether each side's NATS is.
    """
    figures = relay.figures
    yield Sample("relay_in_flight", "Messages that wait for an answer.", relay.in_flight)
    yield Sample("relay_workloads", "Workloads that run with secrets.", len(relay.held))
    for side, is_connected in connected.items():
        yield Sample(
            "relay_connected",
            "1 while connected to that side's NATS, otherwise 0.",
            is_connected,
            (("side", side),),
        )
    for name, meaning, count in (
        ("forwarded", "Messages passed on, in both directions.", figures.forwarded),
        ("filled", "Start requests passed on with secrets in them.", figures.filled),
        ("refused", "Requests that the relay itself refused.", figures.refused),
        ("unsent", "Messages that could not be passed on.", figures.unsent),
        ("rolled", "Workloads rolled for a changed secret.", figures.rolled),
        ("rolls_failed", "Rolled workloads that did not come back.", figures.rolls_failed),
    ):
        yield Sample(f"relay_{name}_total", meaning, count, kind="counter")
