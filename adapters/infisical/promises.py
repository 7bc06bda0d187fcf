"""Places that refused reads were told to come back for: "try again in 60 seconds" is to come true.

Whoever is refused is promised the next place nobody was promised yet. The account is one process's
own and bounded; without room for a promise, the time told is an estimate, as it is for everybody
where the server's limit is shared with others.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from adapters.infisical.own_limit import MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Hashable

KEEP_SECONDS = 4.0
"""How long a place is kept from the time told: whole seconds are told, rounded up, and the cache
repeats a refusal for up to a second more."""

DRIFT_SECONDS = 1.0
"""How much later than foreseen places come free for each minute beyond the first: windows begin
with their first call, and those before come back up to a second late themselves."""

MAX_PROMISES = 4096
HORIZON_MINUTES = 16
"""No more is promised than the limits let pass in that time."""


@dataclass(slots=True, eq=False)
class Promise:
    """One place, for one secret.

    Attributes:
        number: counts places in the order in which they come free.
        since: when its place is expected to come free, in monotonic seconds.
        at: the time told, not before `since`.
        due: the place should be free by now, and is kept.
        over: the secret came, or did not come in time.
    """

    folder: Hashable = field(repr=False)
    secret: Hashable = field(repr=False)
    number: int
    since: float
    at: float
    due: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class NextPlace:
    """The first place that is nobody's.

    Attributes:
        index: how many places of the line come before it, those left out included.
        since: when it is expected to come free, in monotonic seconds.
        now: the present.
    """

    index: int
    since: float
    now: float


class Promises:
    """A line of places to come, in the order they were promised, and those whose time has come.

    A place given up stays in the line until its time, so that nobody behind it moves to another.
    Times are monotonic seconds and must not go back.
    """

    def __init__(self) -> None:
        self._by_secret: dict[Hashable, Promise] = {}
        self._by_folder: Counter[Hashable] = Counter()
        self._line: deque[Promise] = deque()
        self._due: dict[Promise, None] = {}

    def __len__(self) -> int:
        """Secrets that were promised a place and may still come for it."""
        return len(self._by_secret)

    @property
    def due(self) -> int:
        """Places kept now for whom they were promised."""
        return len(self._due)

    @property
    def later(self) -> int:
        """Places promised whose time has not come yet, those given up included."""
        return len(self._line)

    @property
    def span(self) -> int:
        """Places up to the last one promised: those left out on the way are promised to nobody."""
        return self._line[-1].number - self._line[0].number + 1 if self._line else 0

    @property
    def next_end(self) -> float:
        """When the first of the places kept now will be kept no longer; infinite without one."""
        return min((self._end_of(promise) for promise in islice(self._due, 1)), default=math.inf)

    @property
    def last_end(self) -> float:
        """When none of the places kept now will be kept any longer."""
        last = islice(reversed(self._due), 1)
        return max((self._end_of(promise) for promise in last), default=-math.inf)

    def of(self, secret: Hashable) -> Promise | None:
        """Return what this secret was promised, if it was and did not come yet."""
        return self._by_secret.get(secret)

    def before(self, promise: Promise) -> int:
        """Return how many places come before this one, among those due or those later."""
        if not promise.due:
            return promise.number - self._line[0].number
        first = next(iter(self._due))
        return min(max(0, promise.number - first.number), len(self._due) - 1)

    def make(self, secret: Hashable, folder: Hashable, place: NextPlace, bound: float) -> float:
        """Promise a secret without a promise the next place, if there is room.

        A folder is promised a place only while it has fewer than are left to promise: one whose
        names are made up gets half of what there is, and another still finds a place.

        Args:
            secret: who may come back.
            folder: where it is.
            place: the first that is nobody's.
            bound: how many places may be promised at a time, within `MAX_PROMISES`.

        Returns:
            The time to tell.
        """
        since = max(place.since, self._line[-1].since) if self._line else place.since
        at = since + DRIFT_SECONDS * max(0.0, (since - place.now) / MINUTE_SECONDS - 1)
        held = len(self._line) + len(self._due)
        if self._by_folder[folder] < min(MAX_PROMISES, bound) - held:
            last = self._line[-1].number if self._line else 0
            number = last + 1 + max(0, place.index - self.span)
            promise = Promise(folder, secret, number, since, at)
            self._line.append(promise)
            self._by_secret[secret] = promise
            self._by_folder[folder] += 1
        return at

    def postpone(self, promise: Promise, at: float) -> None:
        """Note that a secret was told a later time, as the limits have moved its place."""
        promise.at = at
        if promise.due:
            del self._due[promise]
            self._due[promise] = None

    def end(self, promise: Promise) -> None:
        """Note that the secret came, or comes no more."""
        promise.over = True
        self._due.pop(promise, None)
        del self._by_secret[promise.secret]
        self._by_folder[promise.folder] -= 1
        if not self._by_folder[promise.folder]:
            del self._by_folder[promise.folder]

    def roll(self, now: float) -> None:
        """Keep the places whose time has come, and no longer what was kept in vain."""
        while self._line and self._line[0].since <= now:
            promise = self._line.popleft()
            if not promise.over:
                promise.due = True
                self._due[promise] = None
        while self.next_end <= now:
            self.end(next(iter(self._due)))

    @staticmethod
    def _end_of(promise: Promise) -> float:
        return promise.at + KEEP_SECONDS
