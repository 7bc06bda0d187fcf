"""The server's fixed window: how many calls it still takes, learned from its responses alone."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.upstream.rate_headers import RateReport

WINDOW_SECONDS = 60.0
"""Servers count in fixed windows of a minute, each from its first call on (measured: Infisical)."""


class FixedWindow:
    """Counts along with the server: own calls exactly, those of others as responses reveal them.

    When a window ends is known between two bounds, since answers travel and the header is rounded
    up; the later bound is waited for. All times are monotonic seconds and must not go back.

    Attributes:
        limit: calls that one window takes; None while no answer has said so.
        revision: changes whenever a call that was expected to fit may not fit any more.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.revision = 0
        self._known = False
        self._ends_after = self._ends_by = -math.inf
        self._in_flight = 0
        self._own = 0
        self._others = 0
        self._counted = 0
        self._lost: deque[float] = deque()

    def begin(self, now: float) -> None:
        """Count a call that is sent now."""
        self._roll(now)
        self._in_flight += 1
        self._own += 1

    def uncounted(self, now: float) -> None:
        """End a call that was never sent, or whose answer shows that it was not counted."""
        self._roll(now)
        self._in_flight -= 1
        self._own -= 1

    def lost(self, now: float) -> None:
        """End a call without an answer: whether the server counted it, a later answer shows."""
        self.uncounted(now)
        self._lost.append(now)

    def report(self, sent_at: float, now: float, report: RateReport) -> None:
        """End a call whose answer says how the window stands."""
        self._roll(now)
        earliest, latest = sent_at + report.reset_seconds - 1, now + report.reset_seconds
        if self.limit != report.limit:
            self.limit = report.limit
            self.revision += 1
        if latest < self._ends_after or (not self._known and earliest < self._ends_by):
            # Counted in a window that is over, so it takes no place in the one after.
            self.uncounted(now)
            return
        if earliest >= self._ends_by:
            self._forget(now)
            self._known = True
            self._ends_after, self._ends_by = earliest, latest
            self.revision += 1
        self._ends_after = max(self._ends_after, earliest)
        self._ends_by = min(self._ends_by, latest)
        self._in_flight -= 1
        self._learn(sent_at, report.limit - report.remaining)

    def capacity(self, now: float) -> float:
        """Return how many further calls fit now; infinite while no limit is known."""
        self._roll(now)
        if self.limit is None:
            return math.inf
        return max(0, self.limit - self._own - self._others - len(self._lost))

    def next_at(self, position: int, now: float) -> float:
        """Return when the call with that many before it is expected to fit; `now` if unknown."""
        capacity = self.capacity(now)
        if self.limit is None or position < capacity:
            return now
        if self._known:
            return self._ends_by + (position - int(capacity)) // self.limit * WINDOW_SECONDS
        if self._in_flight or not self._lost:
            return now
        return self._lost[0] + WINDOW_SECONDS

    def _learn(self, sent_at: float, counted: int) -> None:
        """Compare the server's count, as it stood when it answered one call, with this one."""
        others = counted - self._own - len(self._lost)
        if others > self._others:
            self._others = others
            self.revision += 1
        if counted < self._counted:
            # Overtaken by a later answer, so calls may have ended that it knows nothing of.
            return
        self._counted = counted
        known_of = sum(lost_at < sent_at for lost_at in self._lost)
        # Those under way may all be counted later; what still does not add up was never counted.
        never = self._own + self._others + known_of - counted - self._in_flight
        for _ in range(min(never, known_of)):
            self._lost.popleft()

    def _roll(self, now: float) -> None:
        if self._known and now >= self._ends_by:
            self._known = False
            self._forget(now)
        while self._lost and self._lost[0] + WINDOW_SECONDS <= now:
            self._lost.popleft()

    def _forget(self, now: float) -> None:
        """Begin a new window with what may be counted in it already."""
        self._own = self._in_flight
        self._others = self._counted = 0
        while self._lost and self._lost[0] < min(self._ends_after, now):
            self._lost.popleft()
