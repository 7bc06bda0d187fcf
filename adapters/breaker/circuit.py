"""Whether a store is asked: pure decisions over the outcomes of calls."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from adapters.breaker.recent_failures import RecentFailures

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.breaker.config import BreakerConfig


class State(StrEnum):
    """Closed: all calls go through. Open: none. Half open: one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """What a call says about its store.

    ANSWERED: it is up. FAILED: it is down. UNDECIDED: it could answer, but did not serve this call,
    as under a rate limit. NOTHING: it was not asked after all, or the call was cancelled.
    """

    ANSWERED = "answered"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call that was let through.

    Attributes:
        location: what it asks for.
        answers: how often the store had answered when it began.
        is_probe: it asks for all others.
        is_untested: and goes ahead of its time, for a secret that has not failed lately.
    """

    location: Hashable
    answers: int
    is_probe: bool
    is_untested: bool = False


class Circuit:
    """Opens on failures in a row, and closes on the first answer.

    A failure counts only if the store has answered no call since that one began: what hangs while
    others are served is a slow secret, not a store that is down. Nor does it count of a secret that
    is known to be broken by itself. While it is open, a secret that has not failed lately is let
    through at once, one at a time: some broken ones, asked for again and again, must not close the
    store for all others. All times are monotonic seconds.
    """

    def __init__(self, config: BreakerConfig, jitter: Callable[[], float], now: float) -> None:
        """Begin closed; `jitter` draws evenly from 0 up to 1."""
        self._config = config
        self._jitter = jitter
        self.state = State.CLOSED
        self.since = now
        self.opened_count = 0
        self._answers = 0
        self._answered_at = now
        self._failures: deque[tuple[float, Hashable]] = deque(maxlen=config.failures)
        self._failed = RecentFailures(config.window_seconds)
        self._retry_at = now
        self._pauses = 0
        self._untested_at = now
        self._untested_failed = 0
        self._probe: Call | None = None
        self._probe_until = now

    @property
    def untested_until(self) -> float | None:
        """By when the outcome of a probe for an untested location is known; None without one."""
        probe = self._probe
        return self._probe_until if probe is not None and probe.is_untested else None

    def is_untested(self, location: Hashable, now: float) -> bool:
        """Say whether this secret has not failed lately."""
        return not self._failed.holds(location, now)

    def admit(self, location: Hashable, now: float) -> Call | None:
        """Let a call through, or not; each that is let through must be ended."""
        if self.state is State.CLOSED:
            return Call(location, self._answers, is_probe=False)
        if self._probe is not None and now >= self._probe_until:
            self._probe_failed(self._probe, self._probe_until)
        probe = self._probe
        if self.is_untested(location, now) and now >= self._untested_at:
            if probe is None or not probe.is_untested:
                return self._begin_probe(location, now, is_untested=True)
        elif probe is None and (self.state is State.HALF_OPEN or now >= self._retry_at):
            return self._begin_probe(location, now, is_untested=False)
        return None

    def end(self, call: Call, outcome: Outcome, now: float) -> None:
        """Learn from a call that was let through."""
        is_probe = call is self._probe
        by_itself = False
        if outcome is Outcome.FAILED:
            by_itself = self._failed.failed(call.location, self._answers, now)
        elif outcome is not Outcome.NOTHING:
            self._failed.answered(call.location)
        if outcome is Outcome.ANSWERED or (is_probe and outcome is Outcome.UNDECIDED):
            self._answers += 1
            self._answered_at = now
            self._close(now)
        elif is_probe:
            self._probe = None
            if outcome is Outcome.FAILED:
                self._probe_failed(call, now)
        elif outcome is Outcome.FAILED and self.state is State.CLOSED:
            answers_others = now - self._answered_at <= self._config.window_seconds
            if not (by_itself and answers_others):
                self._count_failure(call, now)

    def retry_in(self, now: float) -> float:
        """Return the seconds until the store is asked again, as far as they are known."""
        until = self._retry_at if self.state is State.OPEN else self._probe_until
        return 0.0 if self.state is State.CLOSED else max(0.0, until - now)

    def _count_failure(self, call: Call, now: float) -> None:
        if call.answers != self._answers:
            return
        self._failures.append((now, call.location))
        oldest, _ = self._failures[0]
        if (
            len(self._failures) == self._config.failures
            and now - oldest <= self._config.window_seconds
            and len({location for _, location in self._failures}) >= self._config.locations
        ):
            self.opened_count += 1
            self._untested_at = now
            self._open(now)

    def _begin_probe(self, location: Hashable, now: float, *, is_untested: bool) -> Call:
        if self.state is not State.HALF_OPEN:
            self._enter(State.HALF_OPEN, now)
        self._probe = Call(location, self._answers, is_probe=True, is_untested=is_untested)
        self._probe_until = now + self._config.probe_seconds
        return self._probe

    def _probe_failed(self, probe: Call, now: float) -> None:
        if probe.is_untested:
            self._untested_failed += 1
            # The first may be one more that is broken by itself.
            if self._untested_failed > 1:
                self._untested_at = now + self._pause(self._untested_failed - 2)
        self._open(now)

    def _open(self, now: float) -> None:
        self._probe = None
        self._retry_at = now + self._pause(self._pauses)
        self._pauses += 1
        self._enter(State.OPEN, now)

    def _pause(self, before: int) -> float:
        # Bounded before it is raised: after days of outage the power would be a huge number.
        doubled = math.ldexp(self._config.first_pause_seconds, min(before, 30))
        # Between half of it and all: replicas must not ask together, nor again at once.
        return min(self._config.longest_pause_seconds, doubled) * (1 - 0.5 * self._jitter())

    def _close(self, now: float) -> None:
        self._failures.clear()
        if self.state is not State.CLOSED:
            self._probe = None
            self._pauses = self._untested_failed = 0
            self._enter(State.CLOSED, now)

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self.since = now
