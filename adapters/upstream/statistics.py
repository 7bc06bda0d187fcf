"""What is counted of the calls to a store, and the metrics of every store over HTTP."""

from __future__ import annotations

import math
from bisect import bisect_left
from enum import StrEnum
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, final

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a server next door to the 10 seconds that hosts wait."""


@final
class Histogram:
    """Counts durations by the bounds, in rising order, that they stay within."""

    __slots__ = ("_bounds", "_counts", "_seconds")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._seconds += seconds

    def add_all(self, other: Histogram) -> None:
        """Count those of another with the same bounds as well."""
        self._counts = [
            mine + others for mine, others in zip(self._counts, other._counts, strict=True)
        ]
        self._seconds += other._seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    @property
    def sum_seconds(self) -> float:
        """How long they were together."""
        return self._seconds

    @property
    def within(self) -> tuple[tuple[float, int], ...]:
        """Each bound, with how many were no longer."""
        return tuple(zip(self._bounds, accumulate(self._counts[:-1]), strict=True))


class AdmissionState(NamedTuple):
    """What a metric shows.

    Attributes:
        in_flight: calls in flight.
        waiting: requests that wait for admission.
        refused: requests refused so far.
        limit: calls that a window of the server takes; None while it has not said so.
        capacity: calls that both limits let pass now; None where there is no limit.
        pause_seconds: until the limits let the next call pass; 0 if they do now.
    """

    in_flight: int
    waiting: int
    refused: int
    limit: int | None
    capacity: int | None
    pause_seconds: float


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


def upstream_samples(
    code: str,
    name: str,
    reads: AdmissionState,
    durations: Mapping[tuple[str, str], Histogram],
    waits: Histogram,
) -> Iterator[Sample]:
    """Yield every figure of a store's reads and calls as it is now.

    Args:
        code: begins the metrics' names, such as "infisical".
        name: the store's name in their descriptions.
        durations: how long calls took, by lane and class of the status.
        waits: how long admitted reads waited.
    """
    yield Sample(f"{code}_reads_in_flight", f"Reads from {name} under way.", reads.in_flight)
    yield Sample(
        f"{code}_reads_waiting",
        "Reads that wait for a connection or for a rate limit.",
        reads.waiting,
    )
    yield Sample(
        f"{code}_reads_refused_total",
        "Reads refused because they would have been sent too late.",
        reads.refused,
        kind="counter",
    )
    if reads.limit is not None:
        yield Sample(
            f"{code}_reads_limit",
            f"Reads a minute that {name} takes, as its answers say; absent until one does.",
            reads.limit,
        )
    for (call, status), taken in durations.items():
        yield _histogram(
            f"{code}_call_duration_seconds",
            f"Time of each HTTP call to {name} by itself, without waiting for admission or trying "
            "again.",
            taken,
            (("call", call), ("status", status)),
        )
    yield _histogram(
        f"{code}_read_wait_seconds",
        "Time that reads waited for a connection or for a rate limit before they were sent; those "
        "that were refused instead are not among them.",
        waits,
    )


def _histogram(
    name: str, meaning: str, durations: Histogram, labels: tuple[tuple[str, str], ...] = ()
) -> Sample:
    buckets = (*durations.within, (math.inf, durations.count))
    return Sample(name, meaning, durations.sum_seconds, labels, "histogram", buckets)
