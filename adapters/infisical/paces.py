"""How long reads take in each folder, for as long as a folder is read from."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.infisical.pace import UNKNOWN, Pace, PacedRead

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from adapters.infisical.pace import Estimate

FORGET_SECONDS = 60.0
MAX_IDLE = 1000
"""Folders without a read under way that are remembered, and for how long."""

BUSY_FACTOR = 5.0
"""In so many steps of the event loop a read is sent and its answer taken in; each comes late where
this process is busy itself."""


@dataclass(slots=True, eq=False)
class FolderPace:
    """What is known of one folder.

    Attributes:
        told_until: when the last of those refused was told to come back, in monotonic seconds.
    """

    folder: Hashable = field(repr=False)
    pace: Pace
    told_until: float = 0.0


class Paces:
    """A pace for each folder, and one for all together.

    Time during which this process was itself behind does not count. All times are monotonic seconds
    and must not go back.
    """

    def __init__(self, share: int, places: int) -> None:
        """Take how many reads a folder may have under way at once, and all together."""
        self._share = share
        self._all = Pace(places)
        self._folders: dict[Hashable, FolderPace] = {}
        self._idle: OrderedDict[Hashable, float] = OrderedDict()
        self._under_way: dict[Hashable, tuple[PacedRead, FolderPace]] = {}
        self._behind = 0.0

    def __len__(self) -> int:
        """Folders of which something is known."""
        return len(self._folders)

    def begin(self, reader: Hashable, folder: Hashable, now: float) -> None:
        """Note that somebody begins to read, who is not reading yet."""
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = FolderPace(folder, Pace(self._share))
        self._idle.pop(folder, None)
        read = PacedRead(now, self._calm(now), is_first=known.pace.is_cold)
        for pace in (known.pace, self._all):
            pace.begin(read)
        self._under_way[reader] = read, known

    def end(self, reader: Hashable, now: float, *, over: bool) -> None:
        """Note that a read has ended; not `over` if it was given up before its end."""
        read, known = self._under_way.pop(reader)
        read.lasted, read.over = max(0.0, self._calm(now) - read.counted_from), over
        for pace in (known.pace, self._all):
            pace.end(read)
        if not known.pace.under_way:
            self._idle[known.folder] = now
            self._forget(now)

    def was_behind(self, seconds: float) -> None:
        """Note that this process was that late for something it had to do."""
        self._behind += seconds

    def of(self, folder: Hashable) -> FolderPace | None:
        """Return what is known of a folder, if anything is."""
        return self._folders.get(folder)

    def estimate(self, folder: Hashable, now: float) -> Estimate:
        """Return what a read in this folder takes."""
        known = self._folders.get(folder)
        return UNKNOWN if known is None else known.pace.estimate(self._calm(now))

    def estimate_of_all(self, now: float) -> Estimate:
        """Return what a read takes, wherever it is."""
        return self._all.estimate(self._calm(now))

    def under_way(self) -> Iterator[tuple[Hashable, float]]:
        """Yield the folder of each read under way, and when it began."""
        for read, known in self._under_way.values():
            yield known.folder, read.began

    def _calm(self, now: float) -> float:
        return now - BUSY_FACTOR * self._behind

    def _forget(self, now: float) -> None:
        while self._idle:
            folder, since = next(iter(self._idle.items()))
            if len(self._idle) <= MAX_IDLE and now < since + FORGET_SECONDS:
                break
            del self._idle[folder], self._folders[folder]
