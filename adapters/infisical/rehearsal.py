"""Who would read when, if reads take as long as they are thought to: played through beforehand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from adapters.infisical.places import may_take

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from adapters.infisical.read_order import Rank, Waiter

STEPS = 2000
"""Turns played through at most, more than Infisical serves in ten seconds; of those who come later
it is known that they come later."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long reads in one folder take.

    Attributes:
        place: seconds for which one holds its place.
        answer: seconds until one is answered; 0 where that is not known.
    """

    place: float
    answer: float


@dataclass(slots=True)
class Rehearsal:
    """What came of it.

    Attributes:
        late: who would be answered after its deadline, and when it would have a place, in monotonic
            seconds.
        line_ends: for each folder somebody waits in, no newcomer would have a place before that
            time.
    """

    late: list[tuple[Waiter, float]] = field(default_factory=list)
    line_ends: dict[Hashable, float] = field(default_factory=dict)


class _Line:
    """Those who wait in one folder, in order; `head` is the first of those still there."""

    __slots__ = ("durations", "folder", "head", "rank", "waiters")

    def __init__(
        self, folder: Hashable, durations: Durations, waiters: Iterator[tuple[Rank, Waiter]]
    ) -> None:
        self.folder = folder
        self.durations = durations
        self.waiters = waiters
        self.rank: Rank
        self.head: Waiter | None
        self.step()

    def step(self) -> None:
        """Go on to whoever comes next."""
        self.rank, self.head = next(self.waiters, ((0, 0, 0), None))

    def is_late(self, now: float) -> bool:
        """Say whether the first would not be answered in time even if it read now."""
        return self.head is not None and now + self.durations.answer > self.head.deadline


class _Stage:
    """The places and the lines while they are played through."""

    def __init__(self, under_way: Sequence[tuple[float, Hashable]], free: int, now: float) -> None:
        self.now = now
        self.result = Rehearsal()
        self.steps = 0
        self._free = free
        self._held = Counter(folder for _, folder in under_way)
        self._ends = [(max(now, at), n, folder) for n, (at, folder) in enumerate(under_way)]
        heapify(self._ends)
        self._begun = len(under_way)
        self._lines: list[tuple[Rank, _Line]] = []

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return not self._lines

    def push(self, line: _Line) -> None:
        """Let a line wait in which somebody is left."""
        if line.head is not None:
            heappush(self._lines, (line.rank, line))

    def fill(self) -> None:
        """Give the places that are free to those who may have them."""
        passed_over: list[_Line] = []
        while self._lines and self._free:
            self.steps += 1
            line = heappop(self._lines)[1]
            if line.is_late(self.now):
                self._skip_late(line)
                self.push(line)
            elif may_take(self._held[line.folder], self._free):
                self._take(line)
                self.push(line)
            else:
                passed_over.append(line)
        for line in passed_over:
            self.push(line)

    def free_one(self) -> None:
        """Go on to the time when the next place comes free."""
        self.now, _, folder = heappop(self._ends)
        self._free += 1
        self._held[folder] -= 1

    def break_off(self) -> None:
        """Judge those who are left by the time it is: they come no sooner."""
        for _, line in self._lines:
            while line.head is not None:
                if line.is_late(self.now):
                    self._skip_late(line)
                else:
                    self._note_end(line)
                    line.step()

    def _take(self, line: _Line) -> None:
        self._begun += 1
        self._free -= 1
        self._held[line.folder] += 1
        heappush(self._ends, (self.now + line.durations.place, self._begun, line.folder))
        self._note_end(line)
        line.step()

    def _skip_late(self, line: _Line) -> None:
        while line.head is not None and line.is_late(self.now):
            self.result.late.append((line.head, self.now))
            line.step()

    def _note_end(self, line: _Line) -> None:
        _, depth, _ = line.rank
        if depth == 0:
            # A newcomer comes before those who wait behind others for the same secret.
            self.result.line_ends[line.folder] = self.now


def rehearse(
    lines: Mapping[Hashable, Iterator[tuple[Rank, Waiter]]],
    durations: Mapping[Hashable, Durations],
    under_way: Sequence[tuple[float, Hashable]],
    free: int,
    now: float,
) -> Rehearsal:
    """Give places to those who wait, by the same rules as in earnest, until all is known.

    Whoever would be late is left out, as it is going to be, and holds up nobody behind it.

    Args:
        lines: who waits in each folder, in order; the ranks decide between folders.
        durations: for each of these folders.
        under_way: for each read under way, when its place comes free, and its folder.
        free: places that nobody holds.
        now: monotonic seconds, as all times here.
    """
    stage = _Stage(under_way, free, now)
    for folder, waiters in lines.items():
        stage.push(_Line(folder, durations[folder], waiters))
    stage.fill()
    while not stage.is_over and stage.steps < STEPS:
        stage.free_one()
        stage.fill()
    stage.break_off()
    return stage.result
