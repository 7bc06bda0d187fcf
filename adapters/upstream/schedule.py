"""Who is admitted next, and when else: rate limits, reservations and queues together.

Pure decisions; nothing waits here. All times are monotonic seconds and must not go back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from adapters.upstream.reservations import HORIZON_MINUTES, FreePlace, Reservations
from adapters.upstream.tenant_queue import TenantQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.upstream.limits import NextPlace, RateLimits
    from adapters.upstream.reservations import Reservation
    from adapters.upstream.tenant_queue import Waiter


@dataclass(frozen=True, slots=True)
class Placement:
    """Whether a waiter is served in time, and whether only from what is reserved in vain."""

    in_time: bool
    leftover: bool = False


IN_TIME, LATE = Placement(in_time=True), Placement(in_time=False)
LEFTOVER = Placement(in_time=True, leftover=True)


class Schedule:
    """Serves due reservations first, then waiters in order of arrival.

    A request that cannot be sent now gets a reservation: with enough time it waits for it, else it
    is refused with a retry time. A place is kept until seconds past the
    retry time; others may wait for what is left over. A free place that is not reserved goes to
    the first request that asks.
    """

    def __init__(self, limits: RateLimits) -> None:
        """Take the limits; the caller tells them of calls that begin and end."""
        self._limits = limits
        self._reservations = Reservations()
        self._returned = TenantQueue()
        self._others = TenantQueue()
        self._leftover = TenantQueue()
        self._early: list[tuple[float, int, int, Waiter]] = []
        self._joined = 0

    def __len__(self) -> int:
        """Requests that wait."""
        queued = len(self._returned) + len(self._others) + len(self._leftover)
        return queued + len(self._early)

    @property
    def overdue(self) -> bool:
        """Whether a request waits for what is left over, and nothing is kept any more."""
        return len(self._leftover) > 0 and not self._reservations.due

    def waiting_of(self, tenant: Hashable) -> list[Waiter]:
        """Return the waiters of a tenant that wait for nothing but their turn, in order."""
        return [*self._returned.of(tenant), *self._others.of(tenant)]

    def is_late(self, key: Hashable, deadline: float, now: float) -> bool:
        """Say whether a new request is already known to be served too late."""
        self._roll(now)
        return not self._placement(key, deadline, now).in_time

    def has_place(self, key: Hashable) -> bool:
        """Say whether a place is kept for this key now."""
        reservation = self._reservations.of(key)
        return reservation is not None and reservation.due

    def join(self, waiter: Waiter, now: float) -> None:
        """Let a request wait that is not late."""
        reservation = self._reservations.of(waiter.key)
        if reservation is not None and reservation.due:
            self._reservations.end(reservation)
            self._returned.push(waiter)
        elif self._fits(self._ahead(waiter.key), now):
            self._end_reservation(waiter.key)
            self._others.push(waiter)
        elif self._placement(waiter.key, waiter.deadline, now).leftover:
            self._leftover.push(waiter)
        elif not self._wait_early(waiter, now):
            self._others.push(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Take out a request that waits no more."""
        if not any(q.remove(waiter) for q in (self._returned, self._others, self._leftover)):
            self._early = [entry for entry in self._early if entry[-1] is not waiter]
            heapify(self._early)

    def next(self, may_begin: Callable[[Hashable], bool], now: float) -> Waiter | None:
        """Take out the request to be sent now, if there is one."""
        self._roll(now)
        capacity = self._limits.capacity(now)
        waiter = self._returned.pop(may_begin) if capacity else None
        spare = capacity - len(self._returned) - self._reservations.due
        if waiter is None and spare > 0:
            waiter = self._others.pop(may_begin)
            if waiter is None and spare > len(self._others):
                waiter = self._leftover.pop(may_begin)
            if waiter is not None:
                self._end_reservation(waiter.key)
        return waiter

    def take_late(self, now: float) -> list[Waiter]:
        """Take out all waiters that are known by now to be served too late, in order."""
        self._roll(now)
        late: list[Waiter] = []
        if math.isinf(self._limits.capacity(now)):
            return late
        before = 0
        for waiter in self._returned.in_order():
            if now < self._limits.next_at(before, now).at >= waiter.deadline:
                late.append(waiter)
            else:
                before += 1
        for *_, waiter in sorted(self._early):
            if not self._placement_at(before, waiter.key, waiter.deadline, now).in_time:
                late.append(waiter)
        for waiter in late:
            self.leave(waiter)
        others = [*self._others.in_order(), *self._leftover.in_order()]
        for waiter in others:
            self.leave(waiter)
        for waiter in others:
            if self._placement(waiter.key, waiter.deadline, now).in_time:
                self.join(waiter, now)
            else:
                late.append(waiter)
        return late

    def reserve(self, tenant: Hashable, key: Hashable, now: float) -> NextPlace:
        """Reserve a place for a refused key, and return when to come for it.

        A key with a reservation keeps its time, unless the limits have moved it. A time that is not
        after `now` says that no limit is in the way, or none that is known.
        """
        reservation = self._reservations.of(key)
        if reservation is not None:
            place = self._reserved_place(reservation, now)
            if place.at > reservation.at:
                self._reservations.postpone(reservation, place.at)
            return place._replace(at=reservation.at)
        index, place = self._free_place(self._in_line, now)
        if place.at <= now:
            # What is kept for others may be left over; more is not known.
            return place._replace(at=max(place.at, self._reservations.last_end))
        bound = HORIZON_MINUTES * self._limits.per_minute
        free = FreePlace(index, place.at, now)
        return place._replace(at=self._reservations.make(key, tenant, free, bound))

    def is_held_back(self, now: float) -> bool:
        """Say whether the limits admit nothing now that has no reservation."""
        return not self._fits(0, now)

    def resumes_at(self, now: float) -> float:
        """Return when the next place comes free that is not free now; `now` if unknown."""
        return self._place(0, 0, now).at

    def wakes_at(self, now: float) -> float:
        """Return when a waiter may go on though nothing happens until then."""
        at = self._early[0][0] if self._early else math.inf
        if len(self) > len(self._early) and self.is_held_back(now):
            more = self.resumes_at(now)
            at = min(at, more if more > now else math.inf, self._reservations.next_end)
        return at

    @property
    def _in_line(self) -> int:
        return len(self._returned) + len(self._others)

    def _ahead(self, key: Hashable) -> int:
        return len(self._returned) if self.has_place(key) else self._in_line

    def _fits(self, before: int, now: float) -> bool:
        return before + self._reservations.due < self._limits.capacity(now)

    def _placement(self, key: Hashable, deadline: float, now: float) -> Placement:
        before = self._ahead(key)
        placement = self._placement_at(before, key, deadline, now)
        if placement.leftover:
            placement = self._placement_at(before + len(self._leftover), key, deadline, now)
        return placement

    def _placement_at(self, before: int, key: Hashable, deadline: float, now: float) -> Placement:
        reservation = self._reservations.of(key)
        if reservation is not None and reservation.due:
            at = self._limits.next_at(before, now).at
        elif self._fits(before, now):
            return IN_TIME
        elif reservation is not None:
            at = self._reserved_place(reservation, now).at
        else:
            at = self._free_place(before, now)[1].at
            if before < self._limits.capacity(now) and (at <= now or at >= deadline):
                return LATE if self._reservations.last_end >= deadline else LEFTOVER
        return LATE if now < at >= deadline else IN_TIME

    def _wait_early(self, waiter: Waiter, now: float) -> bool:
        """Let a request wait for its reservation, made now if need be; say if there is one."""
        self.reserve(waiter.tenant, waiter.key, now)
        reservation = self._reservations.of(waiter.key)
        if reservation is None:
            return False
        self._joined += 1
        heappush(self._early, (reservation.since, reservation.number, self._joined, waiter))
        return True

    def _end_reservation(self, key: Hashable) -> None:
        reservation = self._reservations.of(key)
        if reservation is not None:
            self._reservations.end(reservation)

    def _roll(self, now: float) -> None:
        while self._early and self._early[0][0] <= now:
            *_, waiter = heappop(self._early)
            # Its reservation may be gone to another request for the same key.
            kept = self._reservations.of(waiter.key) is not None
            self._end_reservation(waiter.key)
            (self._returned if kept else self._others).push(waiter)
        self._reservations.roll(now)

    def _free_place(self, before: int, now: float) -> tuple[int, NextPlace]:
        """Return which place of the line is the next that is not reserved, and its time."""
        reservations = self._reservations
        taken = len(self._returned) + reservations.due
        beyond = before + reservations.due - max(taken, self._limits.capacity(now))
        index = max(reservations.span, reservations.later + int(max(0, beyond)))
        return index, self._place(taken, index, now)

    def _reserved_place(self, reservation: Reservation, now: float) -> NextPlace:
        reservations = self._reservations
        taken = len(self._returned) + (0 if reservation.due else reservations.due)
        place = self._place(taken, reservations.before(reservation), now)
        return place._replace(at=max(place.at, reservation.since))

    def _place(self, taken: int, index: int, now: float) -> NextPlace:
        """Return the time of one place of the line, while so many are needed before it."""
        capacity = self._limits.capacity(now)
        if math.isfinite(capacity):
            taken = max(taken, int(capacity))
        return self._limits.next_at(taken + index, now)
