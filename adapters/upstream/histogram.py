"""How long something took, counted by bounds."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Final, final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a server next door to the 10 seconds that hosts wait."""


@final
class Histogram:
    """Counts durations by the bounds, in rising order, that they stay within."""

    __slots__ = ("_bounds", "_counts", "_seconds")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._seconds += seconds

    def add_all(self, other: Histogram) -> None:
        """Count those of another with the same bounds as well."""
        self._counts = [
            mine + others for mine, others in zip(self._counts, other._counts, strict=True)
        ]
        self._seconds += other._seconds

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
        return tuple(zip(self._bounds, accumulate(self._counts[:-1]), strict=True))
