"""Whether a store is asked: pure decisions over the outcomes of calls."""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MAX_REMEMBERED: Final = 1024
"""Locations that failed lately."""


class BreakerConfig(NamedTuple):
    """When a store counts as down, and how soon it is asked again.

    Attributes:
        failures: failed calls in a row that open it.
        locations: for how many different secrets these must have been, so that one secret which the
            store cannot answer does not keep all others from it.
        window_seconds: within which they must lie.
        first_pause_seconds: how long it stays open at first.
        longest_pause_seconds: what that doubles up to, with each probe that fails.
        probe_seconds: after which a probe without an answer counts as failed.
    """

    failures: int = 5
    locations: int = 2
    window_seconds: float = 30.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 2.0
    probe_seconds: float = 2.0


class State(StrEnum):
    """Closed: all calls go through. Open: none. Half open: one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """What a call says about its store.

    ANSWERED: it is up, whatever it answered. FAILED: it is down. NOTHING: it was not asked after
    all, or the call was cancelled.
    """

    ANSWERED = "answered"
    FAILED = "failed"
    NOTHING = "nothing"


class Call(NamedTuple):
    """A call that was let through.

    Attributes:
        location: what it asks for.
        answers: how often the store had answered when it began.
        is_probe: the breaker is not closed, and learns from this call.
        is_untested: it is let through ahead of time, for a secret that has not failed lately.
    """

    location: Hashable
    answers: int
    is_probe: bool = False
    is_untested: bool = False


class Circuit:
    """Opens on failures in a row, and closes on the first answer.

    A failure counts only if the store has answered no call since that one began: what hangs while
    others are served is a slow secret, not a store that is down. While it is open, a secret that
    has not failed lately is let through at once, one at a time: some that hang, asked for again and
    again, must not keep all others from it. All times are monotonic seconds.
    """

    def __init__(self, config: BreakerConfig, jitter: Callable[[], float], now: float) -> None:
        """Begin closed; `jitter` draws evenly from 0 up to 1."""
        self._config = config
        self._jitter = jitter
        self.state = State.CLOSED
        self.since = now
        self.opened_count = 0
        self._answers = 0
        self._failures: deque[tuple[float, Hashable]] = deque(maxlen=config.failures)
        self._failed_at: dict[Hashable, float] = {}
        self._retry_at = now
        self._pauses = 0
        self._untested_at = now
        self._untested_failed = 0
        self._probe: Call | None = None
        self._probe_until = now

    def admit(self, location: Hashable, now: float) -> Call | None:
        """Let a call through, or not; each that is let through must be ended."""
        if self.state is State.CLOSED:
            return Call(location, self._answers)
        if self._probe is not None and now >= self._probe_until:
            self._probe_failed(self._probe, self._probe_until)
        probe = self._probe
        if self._is_untested(location, now) and now >= self._untested_at:
            if probe is None or not probe.is_untested:
                return self._begin_probe(location, now, is_untested=True)
        elif probe is None and (self.state is State.HALF_OPEN or now >= self._retry_at):
            return self._begin_probe(location, now, is_untested=False)
        return None

    def end(self, call: Call, outcome: Outcome, now: float) -> None:
        """Learn from a call that was let through."""
        is_probe = call is self._probe
        if outcome is Outcome.ANSWERED:
            self._failed_at.pop(call.location, None)
            self._answers += 1
            self._close(now)
        elif outcome is Outcome.FAILED:
            self._remember(call.location, now)
            if is_probe:
                self._probe_failed(call, now)
            elif self.state is State.CLOSED and call.answers == self._answers:
                self._count_failure(call, now)
        elif is_probe:
            self._probe = None

    def retry_in(self, now: float) -> float:
        """Return the seconds until the store is asked again, as far as they are known."""
        until = self._retry_at if self.state is State.OPEN else self._probe_until
        return 0.0 if self.state is State.CLOSED else max(0.0, until - now)

    def _is_untested(self, location: Hashable, now: float) -> bool:
        return now - self._failed_at.get(location, -math.inf) > self._config.window_seconds

    def _remember(self, location: Hashable, now: float) -> None:
        self._failed_at.pop(location, None)
        self._failed_at[location] = now
        if len(self._failed_at) > MAX_REMEMBERED:
            del self._failed_at[next(iter(self._failed_at))]

    def _count_failure(self, call: Call, now: float) -> None:
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
            # The first may be one more that hangs by itself.
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
