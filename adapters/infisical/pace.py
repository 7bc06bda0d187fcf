"""How long reads take lately, told from those that ended and from those still under way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

FORGIVEN_SECONDS = 1.0
"""Not held against a read that has been under way for longer than those before it took, as a store
may stand still for a moment; nor against the first reads of a folder in any case: they open
connections, and the rush that they begin keeps this process busy itself."""

FEW = 7
"""Reads looked at where fewer are under way, so that one or two of them decide nothing."""

_HALF: Final = 0.5 + 1e-9


@dataclass(slots=True, eq=False)
class PacedRead:
    """One read, while it holds a place and some time after.

    Attributes:
        began: in monotonic seconds.
        counted_from: the same on the clock that durations are told from.
        is_first: no other of its folder had ended when it began.
        lasted: how long it took in the end; None while it is under way.
        over: it ended by itself, so that it would not have lasted any longer.
    """

    began: float
    counted_from: float
    is_first: bool = False
    lasted: float | None = None
    over: bool = False

    @property
    def took(self) -> float:
        """What counts of how long it took, once it has ended."""
        return max(0.0, (self.lasted or 0.0) - (FORGIVEN_SECONDS if self.is_first else 0.0))

    def taken(self, now: float, usual: float) -> float:
        """Return what counts of how long it has taken by now, or took.

        Args:
            now: on the clock that durations are told from.
            usual: seconds that others took at most; so many count in full.
        """
        if self.lasted is not None:
            return self.took
        elapsed = max(0.0, now - self.counted_from)
        return elapsed if elapsed <= usual else max(usual, elapsed - FORGIVEN_SECONDS)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of reads by now.

    Attributes:
        seconds: what one takes; 0 where nothing is known. It is rather too short than too long.
        hangs: most have not ended so far, and last twice as long already as those that did.
    """

    seconds: float
    hangs: bool


UNKNOWN: Final = Estimate(0.0, hangs=False)


class Pace:
    """Estimates what a read takes from those that began last.

    Of those that have not ended it is only known that they take no less than they have taken (the
    product-limit estimate of Kaplan and Meier). So reads that hang show by themselves, and those
    that have just begun do not make the others look quick. Of mean and median the shorter is taken:
    a slow read among quick ones must not count for all, nor must the slow ones count alone where
    many take turns with quick ones.
    """

    def __init__(self, places: int) -> None:
        """Take how many reads may be under way at once."""
        self._reads: deque[PacedRead] = deque(maxlen=max(FEW, 2 * places - 1))
        self._under_way = 0
        self._any_over = False

    @property
    def under_way(self) -> int:
        """Reads that have not ended."""
        return self._under_way

    @property
    def is_cold(self) -> bool:
        """Whether no read has ended by itself so far."""
        return not self._any_over

    def begin(self, read: PacedRead) -> None:
        """Note a read that begins now."""
        self._reads.append(read)
        self._under_way += 1

    def end(self, read: PacedRead) -> None:
        """Note that a read has ended, which says so itself."""
        self._under_way -= 1
        self._any_over = self._any_over or read.over

    def estimate(self, now: float) -> Estimate:
        """Return what a read takes.

        It is told from as many of the last reads as make those under way the greater part: if all
        of these hang, that outweighs how quick others were before.
        """
        number = max(FEW, 2 * self._under_way - 1)
        recent = list(islice(reversed(self._reads), number))
        usual = max((read.took for read in recent if read.over), default=0.0)
        taken = [(read.taken(now, usual), not read.over) for read in recent]
        # A read that ended but of which nothing counts only tells that it was one.
        lasting, mean, median, before = 1.0, 0.0, None, 0.0
        for index, (seconds, goes_on) in enumerate(sorted(taken)):
            mean += lasting * (seconds - before)
            before = seconds
            if not goes_on and seconds > 0.0:
                lasting *= 1 - 1 / (len(taken) - index)
                if median is None and lasting <= _HALF:
                    median = seconds
        if median is None:
            return Estimate(mean, hangs=before > 2 * usual)
        return Estimate(min(mean, median), hangs=False)
