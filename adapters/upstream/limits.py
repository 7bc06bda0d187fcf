"""The rate limits of one store together, the operator's own among them: the tightest counts."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from adapters.upstream.fixed_window import FixedWindow

if TYPE_CHECKING:
    from adapters.upstream.rate_headers import RateReport

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


class NextPlace(NamedTuple):
    """When a call can be sent.

    Attributes:
        at: monotonic seconds.
        by_own_limit: the operator's limit decides, not the server's.
    """

    at: float
    by_own_limit: bool


class RateLimits:
    """The server's window, the cooldown it asked for, and the operator's limit.

    Every call that begins must be ended by exactly one of `answered`, `lost` and `withdraw`. Times
    are monotonic seconds and must not go back.
    """

    def __init__(self, max_per_minute: int | None) -> None:
        self._window = FixedWindow()
        self._own = SlidingWindowLimit(max_per_minute)
        self._paused_until = -math.inf
        self._pauses = 0

    @property
    def revision(self) -> int:
        """Changes whenever a call that was expected to fit may not fit any more."""
        return self._window.revision + self._pauses

    @property
    def learned_limit(self) -> int | None:
        """Calls that a window of the server takes; None while no answer has said so."""
        return self._window.limit

    @property
    def per_minute(self) -> float:
        """Calls that both limits let pass in a minute; infinite where there is no limit."""
        server = math.inf if self._window.limit is None else self._window.limit
        return min(server, self._own.per_minute)

    def begin(self, now: float) -> None:
        """Count a call that is sent now; there must be capacity for it."""
        self._window.begin(now)
        self._own.begin()

    def answered(self, sent_at: float, now: float, report: RateReport | None) -> None:
        """End a call that was answered; None says that the server did not count it."""
        self._own.end(now)
        if report is None:
            self._window.uncounted(now)
        else:
            self._window.report(sent_at, now, report)

    def lost(self, now: float) -> None:
        """End a call that got no answer, or that is not waited for any more."""
        self._own.end(now)
        self._window.lost(now)

    def withdraw(self, now: float) -> None:
        """End a call that never reached the server."""
        self._own.withdraw()
        self._window.uncounted(now)

    def pause(self, seconds: float, now: float) -> None:
        """Send nothing for at least that long, as an answer asked."""
        self._paused_until = max(self._paused_until, now + seconds)
        self._pauses += 1

    def capacity(self, now: float) -> float:
        """Return how many calls may be sent now; infinite without a limit."""
        if now < self._paused_until:
            return 0
        if self._window.limit is None and self._own.limit is None:
            return math.inf
        return min(self._window.capacity(now), self._own.capacity(now))

    def next_at(self, position: int, now: float) -> NextPlace:
        """Return when the call with that many before it is expected to be sent."""
        by_server = max(self._window.next_at(position, now), self._paused_until)
        by_own = self._own.next_at(position, now)
        return NextPlace(max(by_server, by_own), by_own_limit=by_own > by_server)
