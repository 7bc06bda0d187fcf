"""Who is admitted next, and when else: rate limits, reservations and the queue together.

Pure decisions; nothing waits here. All times are monotonic seconds and must not go back.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from adapters.upstream.reservations import HORIZON_MINUTES, Reservations
from adapters.upstream.tenant_queue import TenantQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.upstream.limits import NextPlace, RateLimits
    from adapters.upstream.reservations import Reservation
    from adapters.upstream.tenant_queue import Waiter


class _Way(Enum):
    """How a request waits."""

    RETURNED = auto()
    """For a call in flight to end: its place is there."""
    FREE = auto()
    """For a call in flight to end: a place that is not reserved is there."""
    RESERVED = auto()
    """For the time of its reservation."""
    IN_LINE = auto()
    """For what is left over of places that are kept, or for what the next answer says."""
    LATE = auto()
    """Not at all: it would be sent after its deadline."""


class Schedule:
    """Serves due reservations first, then waiters in order of arrival.

    A request that cannot be sent now gets a reservation: with enough time it waits for it, else it
    is refused with a retry time. A place is kept until seconds past the retry time; others may wait
    for what is left over. A free place that is not reserved goes to the first request that asks.
    """

    def __init__(self, limits: RateLimits) -> None:
        """Take the limits; the caller tells them of calls that begin and end."""
        self._limits = limits
        self._reservations = Reservations()
        self._returned = TenantQueue()
        self._line = TenantQueue()
        self._early: dict[Waiter, Reservation] = {}

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._returned.waiting + self._line.waiting + len(self._early)

    def is_late(self, key: Hashable, deadline: float, now: float) -> bool:
        """Say whether a new request is already known to be sent too late."""
        if math.isinf(self._limits.capacity(now)):
            return False
        self._roll(now)
        return self._way(key, deadline, now) is _Way.LATE

    def join(self, waiter: Waiter, now: float) -> bool:
        """Let a request wait; False says that it would be sent too late, and does not wait."""
        self._roll(now)
        way = self._way(waiter.key, waiter.deadline, now)
        match way:
            case _Way.RETURNED:
                self._reservations.end(waiter.key)
                self._returned.push(waiter)
            case _Way.FREE:
                self._reservations.end(waiter.key)
                self._line.push(waiter)
            case _Way.IN_LINE:
                self._line.push(waiter)
            case _Way.RESERVED:
                self.reserve(waiter.tenant, waiter.key, now)
                reservation = self._reservations.of(waiter.key)
                if reservation is None:
                    return False
                reservation.waiters[waiter] = None
                self._early[waiter] = reservation
            case _Way.LATE:
                return False
        return True

    def leave(self, waiter: Waiter) -> None:
        """Take out a request that waits no more."""
        reservation = self._early.pop(waiter, None)
        if reservation is not None:
            del reservation.waiters[waiter]
        elif not self._returned.remove(waiter):
            self._line.remove(waiter)

    def next(self, may_begin: Callable[[Hashable], bool], now: float) -> Waiter | None:
        """Take out the request to be sent now, if there is one."""
        self._roll(now)
        capacity = self._limits.capacity(now)
        waiter = self._returned.pop(may_begin) if capacity else None
        if waiter is None and capacity > self._returned.waiting + self._reservations.due:
            waiter = self._line.pop(may_begin)
            if waiter is not None:
                self._reservations.end(waiter.key)
        return waiter

    def take_late(self, now: float) -> list[Waiter]:
        """Take out all waiters that are known by now to be sent too late."""
        self._roll(now)
        late: list[Waiter] = []
        for position, waiter in enumerate(self._returned.in_order()):
            if now < self._limits.next_at(position - len(late), now).at >= waiter.deadline:
                late.append(waiter)
        others = [*self._early, *self._line.in_order()]
        for waiter in (*late, *others):
            self.leave(waiter)
        return [*late, *(waiter for waiter in others if not self.join(waiter, now))]

    def reserve(self, tenant: Hashable, key: Hashable, now: float) -> NextPlace:
        """Reserve a place for a refused key, and return when to come for it.

        A key with a reservation keeps its time, unless the limits have moved it. A time that is not
        after `now` says that no limit is in the way, or none that is known.
        """
        reservation = self._reservations.of(key)
        place = self._place(reservation, now)
        if reservation is not None:
            if place.at > reservation.at:
                self._reservations.postpone(reservation, place.at)
            return place._replace(at=reservation.at)
        if place.at <= now:
            # What is kept for others may be left over; more is not known.
            return place._replace(at=max(place.at, self._reservations.last_end))
        bound = HORIZON_MINUTES * self._limits.per_minute
        return place._replace(at=self._reservations.make(key, tenant, place.at, now, bound))

    def is_held_back(self, now: float) -> bool:
        """Say whether the limits admit nothing now that has no reservation."""
        return self._reservations.due >= self._limits.capacity(now)

    def is_overdue(self, now: float) -> bool:
        """Say whether requests wait for what is left over, and nothing is kept any more."""
        if not self._line.waiting or self._reservations.due:
            return False
        return self.is_held_back(now) and self.resumes_at(now) > now

    def resumes_at(self, now: float) -> float:
        """Return when the next place comes free that is not free now; `now` if unknown."""
        capacity = self._limits.capacity(now)
        return self._limits.next_at(0 if math.isinf(capacity) else int(capacity), now).at

    def wakes_at(self, now: float) -> float:
        """Return when a waiter may go on though nothing happens until then."""
        at = self._reservations.next_since if self._early else math.inf
        if self._queued and self.is_held_back(now):
            more = self.resumes_at(now)
            at = min(at, more if more > now else math.inf, self._reservations.next_end)
        return at

    @property
    def _queued(self) -> int:
        return self._returned.waiting + self._line.waiting

    def _way(self, key: Hashable, deadline: float, now: float) -> _Way:
        reservation = self._reservations.of(key)
        if reservation is not None and reservation.due:
            at = self._limits.next_at(self._returned.waiting, now).at
            return _Way.LATE if now < at >= deadline else _Way.RETURNED
        capacity = self._limits.capacity(now)
        if self._queued + self._reservations.due < capacity:
            return _Way.FREE
        at = self._place(reservation, now).at
        if now < at < deadline:
            return _Way.RESERVED
        if self._queued < capacity:
            return _Way.IN_LINE if self._reservations.last_end < deadline else _Way.LATE
        return _Way.IN_LINE if at <= now else _Way.LATE

    def _place(self, reservation: Reservation | None, now: float) -> NextPlace:
        """Return the place reserved, or else the next that is not."""
        reservations = self._reservations
        is_due = reservation is not None and reservation.due
        taken = self._returned.waiting + (0 if is_due else reservations.due)
        capacity = self._limits.capacity(now)
        if math.isfinite(capacity):
            taken = max(taken, int(capacity))
        if reservation is None:
            return self._limits.next_at(taken + reservations.later, now)
        place = self._limits.next_at(taken + reservations.before(reservation), now)
        return place._replace(at=max(place.at, reservation.since))

    def _roll(self, now: float) -> None:
        for reservation in self._reservations.roll(now):
            for waiter in reservation.waiters:
                del self._early[waiter]
                # The place may be gone to another request for the same key.
                if reservation.over:
                    self._line.push(waiter)
                else:
                    self._reservations.end(waiter.key)
                    self._returned.push(waiter)
