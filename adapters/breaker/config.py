"""When a store counts as down, and how soon it is asked again."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """What the operator decides about the breaker.

    Attributes:
        failures: failed calls in a row that open it.
        locations: for how many different secrets these must have been, so that one secret which the
            store cannot answer does not close the store for all others.
        window_seconds: within which they must lie.
        first_pause_seconds: how long it stays open at first.
        longest_pause_seconds: what that doubles up to, with each probe that fails.
        probe_seconds: after which a probe without an answer counts as failed.

    Raises:
        ValueError: a value is outside its range.
    """

    failures: int = 5
    locations: int = 2
    window_seconds: float = 30.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 2.0
    probe_seconds: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.locations <= self.failures:
            raise ValueError("The breaker's locations must be from 1 up to its failures.")
        for name, seconds in (
            ("window", self.window_seconds),
            ("first pause", self.first_pause_seconds),
            ("time for a probe", self.probe_seconds),
        ):
            if not 0 < seconds < math.inf:
                raise ValueError(f"The breaker's {name} must be more than 0 seconds.")
        if not self.first_pause_seconds <= self.longest_pause_seconds < math.inf:
            raise ValueError("The breaker's longest pause must be no shorter than its first.")
