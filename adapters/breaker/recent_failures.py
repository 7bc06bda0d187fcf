"""Which secrets failed last time they were asked for, and whether that says more of them alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

MAX_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class _Failed:
    """Attributes: `answers`, how often the store had answered by then."""

    at: float
    answers: int
    by_itself: bool


class RecentFailures:
    """Remembers each secret's last failure until it is answered, or for `seconds`.

    A secret that fails, and after an answer to another call fails again, is broken by itself, since
    the store works. Its further failures then count for nothing, until it is answered. Times are
    monotonic seconds.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failed: dict[Hashable, _Failed] = {}

    def holds(self, location: Hashable, now: float) -> bool:
        """Say whether this secret failed lately."""
        return self._lately(location, now) is not None

    def failed(self, location: Hashable, answers: int, now: float) -> bool:
        """Note a failure, and say whether the secret was known to be broken by itself."""
        before = self._lately(location, now)
        was = before is not None and before.by_itself
        self._failed.pop(location, None)
        by_itself = was or (before is not None and before.answers < answers)
        self._failed[location] = _Failed(now, answers, by_itself)
        if len(self._failed) > MAX_REMEMBERED:
            del self._failed[next(iter(self._failed))]
        return was

    def answered(self, location: Hashable) -> None:
        """Note an answer."""
        self._failed.pop(location, None)

    def _lately(self, location: Hashable, now: float) -> _Failed | None:
        failed = self._failed.get(location)
        return failed if failed is not None and now - failed.at <= self._seconds else None
