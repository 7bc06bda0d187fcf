"""How long a worker that died waits before it is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A worker that lived this long did not die of what its predecessors died of."""


@dataclass(slots=True)
class Backoff:
    """Doubles from death to death, and begins again after a healthy life."""

    _next: float = FIRST_SECONDS

    def after(self, lived_seconds: float) -> float:
        """Return the seconds to wait after a life of that length."""
        if lived_seconds >= HEALTHY_SECONDS:
            self._next = FIRST_SECONDS
        pause = self._next
        self._next = min(pause * 2, LONGEST_SECONDS)
        return pause
