"""What the gate for reads shows to metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadGateState:
    """What a metric shows.

    Attributes:
        in_flight: reads under way.
        waiting: reads that wait for their turn.
        refused: reads refused so far, because their turn would have come too late.
        limit: calls that a window of the server takes; None while it has not said so.
        capacity: reads that both limits let pass now; None where there is no limit.
        pause_seconds: until the limits let the next read pass; 0 if they do now.
    """

    in_flight: int
    waiting: int
    refused: int
    limit: int | None
    capacity: int | None
    pause_seconds: float
