"""Who waits in vain where connections are short: it is told so at once, and when to retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.infisical import reasons
from adapters.infisical.pace import UNKNOWN
from adapters.infisical.paces import Paces
from adapters.infisical.rehearsal import Durations, rehearse
from domain.model.errors import RateLimited, UpstreamError
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.infisical.pace import Estimate
    from adapters.infisical.places import Places
    from adapters.infisical.read_order import ReadOrder, Waiter
    from ports.clock import Clock

SURELY = 0.75
"""A read is refused only if it would come too late even with all of them that much shorter: an
estimate that is somewhat off must not refuse what would have been answered."""

MAX_TOLD_SECONDS = 60.0
HANGING_SECONDS = 30.0
"""Told at least while reads hang: nobody knows for how long they will."""

LOOK_SECONDS = 0.25
LOOK_SHARE = 0.05
"""How often all who wait are looked at, and which part of this process's time may go into that."""

SURPRISED_SECONDS = 10.0
"""Told at least to whoever waited in vain without having been warned."""

_ALL: Final = object()
"""Stands for all folders together."""


def _seconds(estimate: Estimate) -> float:
    return estimate.seconds


class Shortage:
    """Judges those who wait by how long reads in their folder take.

    An estimate counts once two looks in a row have come to it: for a moment after a store has stood
    still, the last reads were all slow and the next will be quick.

    Where nothing is known of a folder, nobody is refused for how long its reads take; but also
    there a place may be known to come too late, if those of other folders hold all.

    All times are monotonic seconds and must not go back.
    """

    def __init__(self, clock: Clock, places: Places) -> None:
        """Take the places; who takes them and gives them back is told by the caller."""
        self._clock = clock
        self._places = places
        self._paces = Paces(places.share, places.number)
        self._latest: dict[Hashable, Estimate] = {}
        self._estimates: dict[Hashable, Estimate] = {}
        self._line_ends: dict[Hashable, float] = {}
        self._look_seconds = LOOK_SECONDS

    def begin(self, waiter: Waiter, now: float) -> None:
        """Note that somebody who waited has a place now."""
        self._paces.begin(waiter, waiter.folder, now)

    def end(self, waiter: Waiter, now: float, *, over: bool) -> None:
        """Note that the place is given back; not `over` if the read was given up before its end."""
        self._paces.end(waiter, now, over=over)

    def next_look(self, now: float) -> float:
        """Return when to look next at all who wait."""
        return now + self._look_seconds

    def nobody_waits(self) -> None:
        """Forget who would come too late."""
        self._latest.clear()
        self._estimates.clear()
        self._line_ends.clear()

    def refuse_late(self, order: ReadOrder, due: float) -> list[tuple[Waiter, UpstreamError]]:
        """Look at all who wait; return who would come too late, and what to tell it.

        Args:
            order: in which they wait.
            due: when this was to be done.
        """
        now = self._clock.monotonic()
        self._paces.was_behind(now - due)
        lines = order.lines()
        reads = list(self._paces.under_way())
        folders = {*lines, *(folder for folder, _ in reads)}
        latest = {folder: self._paces.estimate(folder, now) for folder in folders}
        latest[_ALL] = self._paces.estimate_of_all(now)
        self._estimates = {
            folder: min(self._latest.get(folder, UNKNOWN), estimate, key=_seconds)
            for folder, estimate in latest.items()
        }
        self._latest = latest
        durations = {folder: self._durations(folder) for folder in folders}
        under_way = [(began + durations[folder].place, folder) for folder, began in reads]
        rehearsal = rehearse(lines, durations, under_way, self._places.free, now)
        self._line_ends = rehearsal.line_ends
        refusals = [
            (waiter, self._refusal(waiter.folder, place_at, now))
            for waiter, place_at in rehearsal.late
        ]
        took = self._clock.monotonic() - now
        self._look_seconds = max(LOOK_SECONDS, took / LOOK_SHARE)
        return refusals

    def is_late(self, folder: Hashable, deadline: float) -> bool:
        """Say whether a newcomer that has to wait is already known to come too late."""
        line_end = self._line_ends.get(folder)
        return line_end is not None and line_end + self._durations(folder).answer > deadline

    def refusal(self, folder: Hashable) -> UpstreamError:
        """Return the error for a newcomer that would come too late."""
        now = self._clock.monotonic()
        return self._refusal(folder, self._line_ends.get(folder, now), now)

    def refusal_in_the_end(self, folder: Hashable) -> UpstreamError:
        """Return the error for one whose time is over and who was not expected to come too late."""
        now = self._clock.monotonic()
        return self._refusal(folder, now, now, least=SURPRISED_SECONDS)

    def _durations(self, folder: Hashable) -> Durations:
        answer = SURELY * self._estimates.get(folder, UNKNOWN).seconds
        of_all = SURELY * self._estimates.get(_ALL, UNKNOWN).seconds
        return Durations(answer or of_all, answer)

    def _refusal(
        self, folder: Hashable, place_at: float, now: float, least: float = 0.0
    ) -> UpstreamError:
        """Return the error that says why, and when a place is expected.

        Those who are refused in one folder are told to come back one after the other, as they would
        have had their places.
        """
        estimate = self._estimates.get(folder, UNKNOWN)
        seconds = max(0.0, place_at - now) / SURELY
        known = self._paces.of(folder)
        if known is not None:
            seconds = max(seconds, known.told_until - now) + estimate.seconds / self._places.share
            known.told_until = now + min(seconds, MAX_TOLD_SECONDS)
        least = max(least, HANGING_SECONDS if estimate.hangs else 0.0)
        seconds = min(max(least, seconds), MAX_TOLD_SECONDS)
        return RateLimited(
            "Infisical is too slow for all that is asked of it; check its health, and try again in "
            f"{seconds_in_words(seconds)}.",
            reason=reasons.BUSY,
            retry_after=seconds,
        )
