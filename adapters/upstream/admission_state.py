"""How many calls to a store are in flight, wait or were refused, and what limits them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AdmissionState:
    """What a metric shows.

    Attributes:
        in_flight: calls in flight.
        waiting: requests that wait for admission.
        refused: requests refused so far.
        limit: calls that a window of the server takes; None while it has not said so.
        capacity: calls that both limits let pass now; None where there is no limit.
        pause_seconds: until the limits let the next call pass; 0 if they do now.
    """

    in_flight: int
    waiting: int
    refused: int
    limit: int | None
    capacity: int | None
    pause_seconds: float
