"""When a read can be sent: what the limits let pass, less what was promised to others."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from adapters.infisical.promises import HORIZON_MINUTES, NextPlace

if TYPE_CHECKING:
    from collections.abc import Hashable, Sized

    from adapters.infisical.promises import Promise, Promises
    from adapters.infisical.request_budget import RequestBudget, Turn


class Outlook(Enum):
    """What a read may expect: its turn in time, perhaps a place kept in vain, or neither."""

    IN_TIME = auto()
    LEFTOVER = auto()
    LATE = auto()


class Forecast:
    """Places are counted in the order in which they come free: first those that are free now.

    These are for whom they are kept, then for whoever waits. Those to come are for whom they were
    promised; behind them stands the next promise. All times are monotonic seconds.
    """

    def __init__(self, budget: RequestBudget, promises: Promises, returned: Sized) -> None:
        """Take the limits, the promises, and those who wait for a place that was kept for them."""
        self._budget = budget
        self._promises = promises
        self._returned = returned

    def fits(self, before: int, now: float) -> bool:
        """Say whether a place is free now for one who comes after so many, and kept for nobody."""
        return before + self._promises.due < self._budget.capacity(now)

    def outlook(self, before: int, secret: Hashable, deadline: float, now: float) -> Outlook:
        """Tell what a read may expect that comes after so many who wait."""
        promise = self._promises.of(secret)
        if promise is not None and promise.due:
            at = self._budget.turn(before, now).at
        elif self.fits(before, now):
            return Outlook.IN_TIME
        elif promise is not None:
            at = self._promised_turn(promise, now).at
        else:
            at = self._next_place(before, now)[1].at
            if before < self._budget.capacity(now) and (at <= now or at >= deadline):
                left_by = self._promises.last_end
                return Outlook.LATE if left_by >= deadline else Outlook.LEFTOVER
        return Outlook.LATE if now < at >= deadline else Outlook.IN_TIME

    def promise(self, folder: Hashable, secret: Hashable, before: int, now: float) -> Turn:
        """Promise a secret the next place, and return when to come for it.

        One that was promised a place hears the same time again, unless the limits have moved it. A
        turn that is not after `now` says that no limit is in the way, or none that is known.
        """
        promise = self._promises.of(secret)
        if promise is not None:
            turn = self._promised_turn(promise, now)
            if turn.at > promise.at:
                self._promises.postpone(promise, turn.at)
            return replace(turn, at=promise.at)
        index, turn = self._next_place(before, now)
        if turn.at <= now:
            # What is kept for others may be left over; more is not known.
            return replace(turn, at=max(turn.at, self._promises.last_end))
        bound = HORIZON_MINUTES * self._budget.per_minute
        place = NextPlace(index, turn.at, now)
        return replace(turn, at=self._promises.make(secret, folder, place, bound))

    def resumes_at(self, now: float) -> float:
        """Return when the next place comes free that is not free now; `now` if unknown."""
        return self._turn(0, 0, now).at

    def _next_place(self, before: int, now: float) -> tuple[int, Turn]:
        """Return which place of the line comes next, and its turn."""
        taken = len(self._returned) + self._promises.due
        beyond = before + self._promises.due - max(taken, self._budget.capacity(now))
        index = max(self._promises.span, self._promises.later + int(max(0, beyond)))
        return index, self._turn(taken, index, now)

    def _promised_turn(self, promise: Promise, now: float) -> Turn:
        taken = len(self._returned) + (0 if promise.due else self._promises.due)
        turn = self._turn(taken, self._promises.before(promise), now)
        return replace(turn, at=max(turn.at, promise.since))

    def _turn(self, taken: int, index: int, now: float) -> Turn:
        """Return the turn of one place of the line, while so many need places before it."""
        capacity = self._budget.capacity(now)
        if math.isfinite(capacity):
            taken = max(taken, int(capacity))
        return self._budget.turn(taken + index, now)
