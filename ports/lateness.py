"""How late this process comes to its own work, so that a store is not blamed for it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class Lateness(Protocol):
    """Tells how much of a time the process could not run although it had work to do."""

    @abstractmethod
    def late_seconds(self, since: float) -> float:
        """Return the seconds of lateness from `since`, in monotonic seconds, until now.

        Never negative, and never more than the time that has passed. 0 means on time. A short
        history is kept: lateness from more than half a minute ago may be left out.
        """


class NotMeasured(Lateness):
    """Knows of no lateness: for parts that run where nothing measures it."""

    def late_seconds(self, since: float) -> float:  # noqa: ARG002  the port's signature
        return 0.0
