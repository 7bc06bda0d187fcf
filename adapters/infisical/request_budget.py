"""Whether a read may be sent now, and when else: pure decisions, nobody waits here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.infisical import reasons
from adapters.infisical.own_limit import OwnLimit
from adapters.infisical.server_window import ServerWindow
from domain.model.errors import RateLimited, UpstreamError
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    from adapters.infisical.rate_report import RateReport


@dataclass(frozen=True, slots=True)
class Turn:
    """When a read can be sent.

    Attributes:
        at: monotonic seconds.
        by_own_limit: the operator's limit decides, not Infisical's.
    """

    at: float
    by_own_limit: bool

    def refusal(self, now: float) -> UpstreamError:
        """Return the error that says why, and when to try again."""
        seconds = max(0.0, self.at - now)
        again = seconds_in_words(seconds)
        limiter, remedy = ("Infisical", "raise its limits")
        if self.by_own_limit:
            limiter, remedy = ("INFISICAL_MAX_REQUESTS_PER_MINUTE", "raise it")
        return RateLimited(
            f"{limiter} limits the rate of calls; try again in {again}, or {remedy}.",
            reason=reasons.RATE_LIMITED,
            retry_after=seconds,
        )


class RequestBudget:
    """The server's window, the pause it asked for, and the operator's limit: the tightest counts.

    Every call that begins must be ended by exactly one of `answered`, `lost` and `withdraw`. Times
    are monotonic seconds and must not go back.
    """

    def __init__(self, max_per_minute: int | None) -> None:
        self._window = ServerWindow()
        self._own = OwnLimit(max_per_minute)
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
        """Reads that both limits let pass in a minute; infinite where there is no limit."""
        server = math.inf if self._window.limit is None else self._window.limit
        return min(server, self._own.per_minute)

    def begin(self, now: float) -> None:
        """Count a read that is sent now; there must be capacity for it."""
        self._window.begin(now)
        self._own.begin()

    def answered(self, sent_at: float, now: float, report: RateReport | None) -> None:
        """End a read that was answered; None says that the server did not count it."""
        self._own.end(now)
        if report is None:
            self._window.uncounted(now)
        else:
            self._window.report(sent_at, now, report)

    def lost(self, now: float) -> None:
        """End a read that got no answer, or that nobody waits for any more."""
        self._own.end(now)
        self._window.lost(now)

    def withdraw(self, now: float) -> None:
        """End a read that never reached the server."""
        self._own.withdraw()
        self._window.uncounted(now)

    def pause(self, seconds: float, now: float) -> None:
        """Send nothing for at least that long, as an answer asked."""
        self._paused_until = max(self._paused_until, now + seconds)
        self._pauses += 1

    def capacity(self, now: float) -> float:
        """Return how many reads may be sent now."""
        if now < self._paused_until:
            return 0
        return min(self._window.capacity(now), self._own.capacity(now))

    def turn(self, position: int, now: float) -> Turn:
        """Return when the read with that many before it is expected to be sent."""
        by_server = max(self._window.turn(position, now), self._paused_until)
        by_own = self._own.turn(position, now)
        return Turn(max(by_server, by_own), by_own_limit=by_own > by_server)
