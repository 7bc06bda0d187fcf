"""Reservations for refused keys: "try again in 60 seconds" comes true.

Each refused key gets the next place that is not reserved (virtual scheduling). The account is one
process's own and bounded; without room for a reservation, the retry time is an estimate, as it is
for all where the server's limit is shared with others.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from adapters.upstream.sliding_window import MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Hashable

KEEP_SECONDS = 4.0
"""How long a place is kept past the retry time, which is rounded up to whole seconds; the cache
repeats a refusal for up to a second more."""

DRIFT_SECONDS = 1.0
"""How much later than foreseen places come free for each minute beyond the first: windows begin
with their first call, and those before come back up to a second late themselves."""

MAX_RESERVATIONS = 4096
HORIZON_MINUTES = 16
"""No more is reserved than the limits let pass in that time."""


@dataclass(slots=True, eq=False)
class Reservation:
    """One place, for one key.

    Attributes:
        number: counts places in the order in which they come free.
        since: when its place is expected to come free, in monotonic seconds.
        at: the retry time, not before `since`.
        due: the place should be free by now, and is kept.
        over: the key was asked for, or was not in time.
    """

    tenant: Hashable = field(repr=False)
    key: Hashable = field(repr=False)
    number: int
    since: float
    at: float
    due: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class FreePlace:
    """The first place that is not reserved.

    Attributes:
        index: how many places of the line come before it, those left out included.
        since: when it is expected to come free, in monotonic seconds.
        now: the present.
    """

    index: int
    since: float
    now: float


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
    def span(self) -> int:
        """Places up to the last one reserved, those left out on the way included."""
        return self._line[-1].number - self._line[0].number + 1 if self._line else 0

    @property
    def next_end(self) -> float:
        """When the first of the places kept now will be kept no longer; infinite without one."""
        return min(
            (self._end_of(reservation) for reservation in islice(self._due, 1)), default=math.inf
        )

    @property
    def last_end(self) -> float:
        """When none of the places kept now will be kept any longer."""
        last = islice(reversed(self._due), 1)
        return max((self._end_of(reservation) for reservation in last), default=-math.inf)

    def of(self, key: Hashable) -> Reservation | None:
        """Return the reservation of a key, if it has one."""
        return self._by_key.get(key)

    def before(self, reservation: Reservation) -> int:
        """Return how many places come before this one, among those due or those later."""
        if not reservation.due:
            return reservation.number - self._line[0].number
        first = next(iter(self._due))
        return min(max(0, reservation.number - first.number), len(self._due) - 1)

    def make(self, key: Hashable, tenant: Hashable, place: FreePlace, bound: float) -> float:
        """Reserve the next place for a key without a reservation, if there is room.

        A tenant gets one only while it has fewer than are left: one whose keys are made up gets
        half of what there is, and another still finds a place.

        Args:
            key: what was refused.
            tenant: whose it is.
            place: the first that is not reserved.
            bound: how many places may be reserved at a time, within `MAX_RESERVATIONS`.

        Returns:
            The time to tell.
        """
        since = max(place.since, self._line[-1].since) if self._line else place.since
        at = since + DRIFT_SECONDS * max(0.0, (since - place.now) / MINUTE_SECONDS - 1)
        held = len(self._line) + len(self._due)
        if self._by_tenant[tenant] < min(MAX_RESERVATIONS, bound) - held:
            last = self._line[-1].number if self._line else 0
            number = last + 1 + max(0, place.index - self.span)
            reservation = Reservation(tenant, key, number, since, at)
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

    def end(self, reservation: Reservation) -> None:
        """End a reservation: its key was asked for, or not in time."""
        reservation.over = True
        self._due.pop(reservation, None)
        del self._by_key[reservation.key]
        self._by_tenant[reservation.tenant] -= 1
        if not self._by_tenant[reservation.tenant]:
            del self._by_tenant[reservation.tenant]

    def roll(self, now: float) -> None:
        """Make reservations due whose time has come, and end those kept in vain."""
        while self._line and self._line[0].since <= now:
            reservation = self._line.popleft()
            if not reservation.over:
                reservation.due = True
                self._due[reservation] = None
        while self.next_end <= now:
            self.end(next(iter(self._due)))

    @staticmethod
    def _end_of(reservation: Reservation) -> float:
        return reservation.at + KEEP_SECONDS
