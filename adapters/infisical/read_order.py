"""Who reads next, and when else: limits, promises and queues together; nobody waits here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from adapters.infisical.fair_queue import FairQueue
from adapters.infisical.forecast import Forecast, Outlook
from adapters.infisical.promises import Promises

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Hashable, Iterator

    from adapters.infisical.request_budget import RequestBudget, Turn
    from domain.model.errors import UpstreamError


Rank: TypeAlias = tuple[int, int, int]
"""Who comes before whom: first by the queue, then by the round in it, then by the place in that."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A read that waits for its turn.

    Attributes:
        deadline: monotonic seconds.
        turn: ends with None to go on, or with why not.
    """

    folder: Hashable
    secret: Hashable
    deadline: float
    turn: asyncio.Future[UpstreamError | None] = field(repr=False)


class ReadOrder:
    """First whoever comes back at the time it was told, then everybody else; secrets take turns.

    Whoever cannot read now is promised the next place: with enough time it waits for it, else it is
    told when to come back. A place that comes free is kept for whom it was promised, until seconds
    after the time told; others may hope that it is left over. A place that is free now and promised
    to nobody goes to whoever asks.

    All times are monotonic seconds and must not go back.
    """

    def __init__(self, budget: RequestBudget) -> None:
        """Take the budget; what begins and ends is told to it by the caller."""
        self._budget = budget
        self._promises = Promises()
        self._returned: FairQueue[Waiter] = FairQueue()
        self._others: FairQueue[Waiter] = FairQueue()
        self._hoping: FairQueue[Waiter] = FairQueue()
        self._early: list[tuple[float, int, int, Waiter]] = []
        self._joined = 0
        self._forecast = Forecast(budget, self._promises, self._returned)

    def __len__(self) -> int:
        """Reads that wait."""
        queued = len(self._returned) + len(self._others) + len(self._hoping)
        return queued + len(self._early)

    @property
    def promised(self) -> int:
        """Secrets that were promised a place and may still come for it."""
        return len(self._promises)

    @property
    def shared(self) -> bool:
        """Whether several wait for one secret, so that a newcomer may come before another."""
        return self._others.shared or self._hoping.shared

    @property
    def in_line(self) -> int:
        """Reads that wait for nothing but their turn."""
        return len(self._returned) + len(self._others)

    @property
    def in_vain(self) -> bool:
        """Whether somebody hopes for places kept in vain, and none is kept any more."""
        return len(self._hoping) > 0 and not self._promises.due

    def ahead(self, folder: Hashable, secret: Hashable) -> int:
        """Return how many of those who wait would be served before a newcomer for this secret."""
        promise = self._promises.of(secret)
        if promise is not None and promise.due:
            return self._returned.ahead(folder, secret)
        return len(self._returned) + self._others.ahead(folder, secret)

    def is_late(self, folder: Hashable, secret: Hashable, deadline: float, now: float) -> bool:
        """Say whether a newcomer's turn is already known to come too late."""
        self._roll(now)
        return self._outlook(folder, secret, deadline, now) is Outlook.LATE

    def join(self, waiter: Waiter, now: float) -> None:
        """Let somebody wait, who is not late."""
        folder, secret = waiter.folder, waiter.secret
        promise = self._promises.of(secret)
        if promise is not None and promise.due:
            self._promises.end(promise)
            self._returned.push(waiter)
        elif self._forecast.fits(self.ahead(folder, secret), now):
            self._fulfil(secret)
            self._others.push(waiter)
        elif self._outlook(folder, secret, waiter.deadline, now) is Outlook.LEFTOVER:
            self._hoping.push(waiter)
        elif not self._wait_for_promised(waiter, now):
            self._others.push(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Take out somebody who waits no more."""
        if not any(q.remove(waiter) for q in (self._returned, self._others, self._hoping)):
            self._early = [entry for entry in self._early if entry[-1] is not waiter]
            heapify(self._early)

    def next(self, may_go: Callable[[Hashable], bool], now: float) -> Waiter | None:
        """Take out whoever may read now among the folders that may go on, if anybody may."""
        self._roll(now)
        capacity = self._budget.capacity(now)
        waiter = self._returned.pop(may_go) if capacity else None
        spare = capacity - len(self._returned) - self._promises.due
        if waiter is None and spare > 0:
            waiter = self._others.pop(may_go)
            if waiter is None and spare > len(self._others):
                waiter = self._hoping.pop(may_go)
            if waiter is not None:
                self._fulfil(waiter.secret)
        return waiter

    def take_late(self, now: float) -> list[Waiter]:
        """Take out everybody whose turn is known to come too late by now, in order."""
        self._roll(now)
        late: list[Waiter] = []
        if math.isinf(self._budget.capacity(now)):
            return late
        before = 0
        for waiter in self._returned.in_order():
            if now < self._budget.turn(before, now).at >= waiter.deadline:
                late.append(waiter)
            else:
                before += 1
        for *_, waiter in sorted(self._early):
            if self._forecast.outlook(before, waiter.secret, waiter.deadline, now) is Outlook.LATE:
                late.append(waiter)
        for waiter in late:
            self.leave(waiter)
        return late + self._settle(now)

    def put_off(self, folder: Hashable, secret: Hashable, now: float) -> Turn:
        """Return when a refused secret is to come back; see `Forecast.promise`."""
        return self._forecast.promise(folder, secret, self.in_line, now)

    def lines(self) -> dict[Hashable, Iterator[tuple[Rank, Waiter]]]:
        """Return for each folder who waits in it for nothing but its turn, in order."""
        lines: dict[Hashable, Iterator[tuple[Rank, Waiter]]] = {}
        for number, queue in enumerate((self._returned, self._others)):
            for folder, waiters in queue.by_folder():
                lines[folder] = chain(lines.get(folder, ()), _ranked(number, waiters))
        return lines

    def comes_first(self, secret: Hashable) -> bool:
        """Say whether a place is kept now for this secret."""
        promise = self._promises.of(secret)
        return promise is not None and promise.due

    def held_back(self, now: float) -> bool:
        """Say whether the limits let nobody pass now for whom no place is kept."""
        return not self._forecast.fits(0, now)

    def resumes_at(self, now: float) -> float:
        """Return when the next place comes free that is not free now; `now` if unknown."""
        return self._forecast.resumes_at(now)

    def wakes_at(self, now: float) -> float:
        """Return when somebody who waits may go on though nothing happens until then."""
        at = self._early[0][0] if self._early else math.inf
        if len(self) > len(self._early) and self.held_back(now):
            more = self.resumes_at(now)
            at = min(at, more if more > now else math.inf, self._promises.next_end)
        return at

    def _outlook(self, folder: Hashable, secret: Hashable, deadline: float, now: float) -> Outlook:
        before = self.ahead(folder, secret)
        outlook = self._forecast.outlook(before, secret, deadline, now)
        if outlook is Outlook.LEFTOVER:
            before += self._hoping.ahead(folder, secret)
            outlook = self._forecast.outlook(before, secret, deadline, now)
        return outlook

    def _settle(self, now: float) -> list[Waiter]:
        """Let those who came without a promise wait anew where they belong; return who is late."""
        waiters = [*self._others.in_order(), *self._hoping.in_order()]
        for waiter in waiters:
            self.leave(waiter)
        late: list[Waiter] = []
        for waiter in waiters:
            if self._outlook(waiter.folder, waiter.secret, waiter.deadline, now) is Outlook.LATE:
                late.append(waiter)
            else:
                self.join(waiter, now)
        return late

    def _wait_for_promised(self, waiter: Waiter, now: float) -> bool:
        """Let somebody wait for the place it was or now is promised; say if there is one."""
        self.put_off(waiter.folder, waiter.secret, now)
        promise = self._promises.of(waiter.secret)
        if promise is None:
            return False
        self._joined += 1
        heappush(self._early, (promise.since, promise.number, self._joined, waiter))
        return True

    def _fulfil(self, secret: Hashable) -> None:
        promise = self._promises.of(secret)
        if promise is not None:
            self._promises.end(promise)

    def _roll(self, now: float) -> None:
        while self._early and self._early[0][0] <= now:
            *_, waiter = heappop(self._early)
            # Its promise may be gone to another read of the same secret.
            kept = self._promises.of(waiter.secret) is not None
            self._fulfil(waiter.secret)
            (self._returned if kept else self._others).push(waiter)
        self._promises.roll(now)


def _ranked(
    queue: int, waiters: Iterator[tuple[int, int, Waiter]]
) -> Iterator[tuple[Rank, Waiter]]:
    for depth, number, waiter in waiters:
        yield (queue, depth, number), waiter
