"""Whether a store is asked: pure decisions over the outcomes of calls."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.breaker.config import BreakerConfig


class State(StrEnum):
    """Closed: everybody asks. Open: nobody. Half open: one asks for all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """What a call says about its store.

    ANSWERED: it is up. FAILED: it is down. UNDECIDED: it could answer, but did not serve this call,
    as under a rate limit. NOTHING: it was not asked after all, or nobody waited for the end.
    """

    ANSWERED = "answered"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call that was let through.

    Attributes:
        place: what it asks for.
        answers: how often the store had answered when it began.
        is_probe: it asks for all others.
    """

    place: Hashable
    answers: int
    is_probe: bool


class Circuit:
    """Opens on failures in a row, and closes on the first answer.

    A failure counts only if the store has answered nobody since that call began: what hangs while
    others are served is a slow secret, not a store that is down. All times are monotonic seconds.
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
        self._retry_at = now
        self._pauses = 0
        self._probe: Call | None = None
        self._probe_until = now

    def admit(self, place: Hashable, now: float) -> Call | None:
        """Let a call through, or not; each that is let through must be ended."""
        if self.state is State.CLOSED:
            return Call(place, self._answers, is_probe=False)
        if self.state is State.HALF_OPEN and self._probe is not None:
            if now < self._probe_until:
                return None
            self._open(self._probe_until)
        if self.state is State.OPEN:
            if now < self._retry_at:
                return None
            self._enter(State.HALF_OPEN, now)
        self._probe = Call(place, self._answers, is_probe=True)
        self._probe_until = now + self._config.probe_seconds
        return self._probe

    def end(self, call: Call, outcome: Outcome, now: float) -> None:
        """Learn from a call that was let through."""
        is_probe = call is self._probe
        if outcome is Outcome.ANSWERED or (is_probe and outcome is Outcome.UNDECIDED):
            self._answers += 1
            self._close(now)
        elif is_probe:
            self._probe = None
            if outcome is Outcome.FAILED:
                self._open(now)
        elif outcome is Outcome.FAILED and self.state is State.CLOSED:
            self._count_failure(call, now)

    def retry_in(self, now: float) -> float:
        """Return the seconds until the store is asked again, as far as they are known."""
        until = self._retry_at if self.state is State.OPEN else self._probe_until
        return 0.0 if self.state is State.CLOSED else max(0.0, until - now)

    def _count_failure(self, call: Call, now: float) -> None:
        if call.answers != self._answers:
            return
        self._failures.append((now, call.place))
        oldest, _ = self._failures[0]
        if (
            len(self._failures) == self._config.failures
            and now - oldest <= self._config.window_seconds
            and len({place for _, place in self._failures}) >= self._config.places
        ):
            self.opened_count += 1
            self._open(now)

    def _open(self, now: float) -> None:
        longest = self._config.longest_pause_seconds
        # Bounded before it is raised: after days of outage the power would be a huge number.
        doubled = self._config.first_pause_seconds * 2 ** min(self._pauses, 30)
        self._pauses += 1
        self._probe = None
        # Between half of it and all: replicas must not ask together, nor again at once.
        self._retry_at = now + min(longest, doubled) * (1 - 0.5 * self._jitter())
        self._enter(State.OPEN, now)

    def _close(self, now: float) -> None:
        self._failures.clear()
        if self.state is not State.CLOSED:
            self._probe = None
            self._pauses = 0
            self._enter(State.CLOSED, now)

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self.since = now
