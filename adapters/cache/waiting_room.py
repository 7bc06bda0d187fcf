"""Who may wait for the store: so many at a time, and no folder at the cost of others."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.cache.failures import Failure
from domain.model.errors import UpstreamError
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    import asyncio

    from domain.model.reference import Folder

TOO_MANY_WAITING = "too_many_waiting"
"""`reason` of the errors of requests that had no place."""


@dataclass(slots=True, eq=False)
class Seat:
    """The place of one request.

    Attributes:
        line: those who wait for secrets of the same folder.
        deadline: when the request gives up, in monotonic seconds.
        turn: what the request waits on, while it waits.
        given_up: the place was taken for another folder's request.
    """

    line: Line = field(repr=False)
    deadline: float
    turn: asyncio.Future[None] | None = field(default=None, repr=False)
    given_up: bool = False

    def call(self) -> None:
        """Wake the request, to look for itself what has happened."""
        if self.turn is not None and not self.turn.done():
            self.turn.set_result(None)


@dataclass(slots=True, eq=False)
class Line:
    """Those who wait for secrets of one folder, in the order they came."""

    folder: Folder
    seats: OrderedDict[Seat, None] = field(default_factory=OrderedDict, repr=False)


class WaitingRoom:
    """Bounds how many requests wait, for one event loop; each step takes the same short time.

    While there is room anybody may wait. Once it is full, a request takes the place of another only
    if that one's folder has the most waiting, at least two more than the request's own folder: the
    one that came last there gives way. So, at any time:

    - no more than `places` wait;
    - a request is refused only if no folder has two more waiting than its own. Where k folders want
      places, each of them gets at least `places // k`;
    - a folder with nobody waiting finds a place, however many others hang, unless as many folders
      as there are places wait already, with one request each.
    """

    def __init__(self, places: int) -> None:
        """Make room for that many.

        Raises:
            ValueError: there is no place at all.
        """
        if places < 1:
            raise ValueError("A waiting room must have 1 or more places.")
        self._places = places
        self._taken = 0
        self._lines: dict[Folder, Line] = {}
        self._by_length: dict[int, OrderedDict[Line, None]] = {}
        self._longest = 0

    @property
    def places(self) -> int:
        """How many may wait."""
        return self._places

    @property
    def taken(self) -> int:
        """How many wait."""
        return self._taken

    def enter(self, folder: Folder, deadline: float) -> Seat | None:
        """Return a place for a request, or None where it may not wait.

        Args:
            folder: where its secret is.
            deadline: when it will have left at the latest, in monotonic seconds.
        """
        line = self._lines.get(folder)
        if self._taken >= self._places:
            if self._longest <= (0 if line is None else len(line.seats)) + 1:
                return None
            self._give_way()
        if line is None:
            line = self._lines[folder] = Line(folder)
        seat = Seat(line, deadline)
        line.seats[seat] = None
        self._taken += 1
        self._moved(line, len(line.seats) - 1)
        return seat

    def leave(self, seat: Seat) -> None:
        """Take back a place; one that was given up is taken back already."""
        line = seat.line
        if seat not in line.seats:
            return
        del line.seats[seat]
        self._taken -= 1
        self._moved(line, len(line.seats) + 1)
        if not line.seats:
            del self._lines[line.folder]

    def refusal(self, folder: Folder, now: float) -> Failure:
        """Return what a request hears that may not wait: why, and when to try again.

        By then the first of those who wait in its folder has left, or where nobody does, the first
        of a folder that has the most.
        """
        line = self._lines.get(folder) or next(iter(self._by_length.get(self._longest, ())), None)
        # Whoever had to give way looks a moment later, when all others may have left.
        seconds = 0.0 if line is None else next(iter(line.seats)).deadline - now
        return Failure(
            UpstreamError,
            "Too many requests wait for the secret store, and no more of this folder may; check "
            f"that it is up, and start the component again in {seconds_in_words(seconds)}.",
            TOO_MANY_WAITING,
            is_outage=True,
        )

    def _give_way(self) -> None:
        line = next(iter(self._by_length[self._longest]))
        seat = next(reversed(line.seats))
        self.leave(seat)
        seat.given_up = True
        seat.call()

    def _moved(self, line: Line, before: int) -> None:
        """Note that a line has one more, or one less, than before."""
        after = len(line.seats)
        if before:
            equals = self._by_length[before]
            del equals[line]
            if not equals:
                del self._by_length[before]
        if after:
            self._by_length.setdefault(after, OrderedDict())[line] = None
        # Whoever was the longest of all and lost one still has as many as any other.
        if after > self._longest or (before == self._longest and before not in self._by_length):
            self._longest = after
