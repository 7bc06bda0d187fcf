"""How long something took, counted by bounds."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Final, final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a server next door to the 10 seconds that hosts wait."""


@final
class Histogram:
    """Counts durations by the bounds they stay within."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    @property
    def sum_seconds(self) -> float:
        """How long they were together."""
        return self._seconds

    @property
    def within(self) -> tuple[tuple[float, int], ...]:
        """Each bound, with how many were no longer."""
        return tuple(zip(BOUNDS, accumulate(self._counts[:-1]), strict=True))
