"""HTTP calls to a store, counted and timed by lane and by what came back."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from adapters.upstream.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_MANY_REQUESTS: Final = 429
LIMITED: Final = "429"
NO_ANSWER: Final = "none"
STATUSES: Final = ("2xx", "3xx", "4xx", LIMITED, "5xx", NO_ANSWER)
_LOWEST, _HIGHEST = 2, 5


class Lane(StrEnum):
    """What a call is for: one connection is left to logins."""

    LOGIN = "login"
    READ = "read"


@final
class CallStatistics:
    """Counts of the calls that ended."""

    def __init__(self) -> None:
        # From the start: a series that begins with a call has no rate for it.
        self._durations = {(str(lane), STATUSES[0]): Histogram() for lane in Lane}

    def ended(self, lane: Lane, status: int | None, seconds: float) -> None:
        """Count a call; the status is None where there was no answer."""
        key = (str(lane), _class_of(status))
        self._durations.setdefault(key, Histogram()).add(seconds)

    @property
    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        """How long calls took, connecting included, by lane and by the class of the status.

        `429` counts apart; `none` was not answered, and lasted until the call was given up. What
        never happened may be absent.
        """
        return MappingProxyType(self._durations)

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls that ended, by the same classes; all of them are there."""
        counts = dict.fromkeys(STATUSES, 0)
        for (_, status), durations in self._durations.items():
            counts[status] += durations.count
        return counts


def _class_of(status: int | None) -> str:
    if status is None:
        return NO_ANSWER
    if status == TOO_MANY_REQUESTS:
        return LIMITED
    return f"{min(max(status // 100, _LOWEST), _HIGHEST)}xx"
