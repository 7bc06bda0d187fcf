"""Reservations for refused keys: "try again in 60 seconds" comes true.

Each refused key gets the next place that is not reserved (virtual scheduling). The account is one
process's own and bounded; without room for a reservation, the retry time is an estimate, as it is
for all where the server's limit is shared with others.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import field
from typing import TYPE_CHECKING

from adapters.upstream.limits import MINUTE_SECONDS
from domain.model.opaque import stateful

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.upstream.tenant_queue import Waiter

KEEP_SECONDS = 4.0
"""How long a place is kept past the retry time, which is rounded up to whole seconds; the cache
repeats a refusal for up to a second more."""

DRIFT_SECONDS = 1.0
"""How much later than foreseen places come free for each minute beyond the first: windows begin
with their first call, and those before come back up to a second late themselves."""

MAX_RESERVATIONS = 4096
HORIZON_MINUTES = 16
"""No more is reserved than the limits let pass in that time."""


@stateful
class Reservation:
    """One place, for one key.

    Attributes:
        number: counts places in the order in which they come free.
        since: when its place is expected to come free, in monotonic seconds.
        at: the retry time, not before `since`.
        due: the place should be free by now, and is kept.
        over: the key was asked for, or was not in time.
        waiters: requests that came before its time, and wait for it.
    """

    tenant: Hashable
    key: Hashable
    number: int
    since: float
    at: float
    due: bool = False
    over: bool = False
    waiters: dict[Waiter, None] = field(default_factory=dict)


class Reservations:
    """A line of places to come, in the order they were reserved, and those that are due.

    A place given up stays in the line until its time, so that none behind it moves to another.
    Times are monotonic seconds and must not go back.
    """

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Reservation] = {}
        self._by_tenant: Counter[Hashable] = Counter()
        self._line: deque[Reservation] = deque()
        self._due: dict[Reservation, None] = {}
        self._made = 0

    def __len__(self) -> int:
        """Keys that have a reservation."""
        return len(self._by_key)

    @property
    def due(self) -> int:
        """Places kept now for their keys."""
        return len(self._due)

    @property
    def later(self) -> int:
        """Places reserved whose time has not come yet, those given up included."""
        return len(self._line)

    @property
    def next_since(self) -> float:
        """When the first of the places to come is expected; infinite without one."""
        return self._line[0].since if self._line else math.inf

    @property
    def next_end(self) -> float:
        """When the first of the places kept now will be kept no longer; infinite without one."""
        return next(iter(self._due)).at + KEEP_SECONDS if self._due else math.inf

    @property
    def last_end(self) -> float:
        """When none of the places kept now will be kept any longer."""
        return next(reversed(self._due)).at + KEEP_SECONDS if self._due else -math.inf

    def of(self, key: Hashable) -> Reservation | None:
        """Return the reservation of a key, if it has one."""
        return self._by_key.get(key)

    def before(self, reservation: Reservation) -> int:
        """Return how many places come before this one, among those due or those later."""
        if not reservation.due:
            return reservation.number - self._line[0].number
        first = next(iter(self._due))
        return min(max(0, reservation.number - first.number), len(self._due) - 1)

    def make(
        self, key: Hashable, tenant: Hashable, since: float, now: float, bound: float
    ) -> float:
        """Reserve the next place for a key without a reservation, if there is room.

        A tenant gets one only while it has fewer than are left: one whose keys are made up gets
        half of what there is, and another still finds a place.

        Args:
            since: when the first place that is not reserved is expected to come free.
            bound: how many places may be reserved at a time, within `MAX_RESERVATIONS`.

        Returns:
            The time to tell.
        """
        since = max(since, self._line[-1].since) if self._line else since
        at = since + DRIFT_SECONDS * max(0.0, (since - now) / MINUTE_SECONDS - 1)
        held = len(self._line) + len(self._due)
        if self._by_tenant[tenant] < min(MAX_RESERVATIONS, bound) - held:
            self._made += 1
            reservation = Reservation(tenant, key, self._made, since, at)
            self._line.append(reservation)
            self._by_key[key] = reservation
            self._by_tenant[tenant] += 1
        return at

    def postpone(self, reservation: Reservation, at: float) -> None:
        """Note a later retry time, as the limits have moved its place."""
        reservation.at = at
        if reservation.due:
            del self._due[reservation]
            self._due[reservation] = None

    def end(self, key: Hashable) -> None:
        """End the reservation of a key, if it has one: it was asked for, or not in time."""
        reservation = self._by_key.pop(key, None)
        if reservation is None:
            return
        reservation.over = True
        self._due.pop(reservation, None)
        self._by_tenant[reservation.tenant] -= 1
        if not self._by_tenant[reservation.tenant]:
            del self._by_tenant[reservation.tenant]

    def roll(self, now: float) -> list[Reservation]:
        """Make reservations due whose time has come, and end those kept in vain. Returns those with
        waiters whose time has come; they do not become due.
        """
        waited_for: list[Reservation] = []
        while self._line and self._line[0].since <= now:
            reservation = self._line.popleft()
            if reservation.waiters:
                waited_for.append(reservation)
            elif not reservation.over:
                reservation.due = True
                self._due[reservation] = None
        while self.next_end <= now:
            self.end(next(iter(self._due)).key)
        return waited_for
