"""The operator's limit on calls a minute: a sliding-window log."""

from __future__ import annotations

import math
from collections import deque

MINUTE_SECONDS = 60.0


class SlidingWindowLimit:
    """At most so many calls in any minute, however the server may place its windows.

    A call weighs from when it is sent until a minute after it ended: in between the server counted
    it, at a time that is not known here. Times are monotonic seconds and must not go back.

    Attributes:
        limit: calls in a minute, from 1 up; None is no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._in_flight = 0
        self._ended: deque[float] = deque()

    @property
    def per_minute(self) -> float:
        """The limit; infinite without one."""
        return math.inf if self.limit is None else self.limit

    def begin(self) -> None:
        """Count a call that is sent now."""
        self._in_flight += 1

    def withdraw(self) -> None:
        """Give back the place of a call that was never sent."""
        self._in_flight -= 1

    def end(self, now: float) -> None:
        """End a call, whatever its answer."""
        self._in_flight -= 1
        if self.limit is not None:
            self._ended.append(now)

    def capacity(self, now: float) -> float:
        """Return how many further calls fit now."""
        if self.limit is None:
            return math.inf
        while self._ended and self._ended[0] + MINUTE_SECONDS <= now:
            self._ended.popleft()
        return max(0, self.limit - self._in_flight - len(self._ended))

    def next_at(self, position: int, now: float) -> float:
        """Return the earliest time at which the call with that many before it can fit."""
        capacity = self.capacity(now)
        if self.limit is None or position < capacity:
            return now
        minutes, place = divmod(position - int(capacity), self.limit)
        # Calls under way end at some time from now on, and weigh for a minute more.
        freed_at = self._ended[place] if place < len(self._ended) else now
        return freed_at + MINUTE_SECONDS * (minutes + 1)
