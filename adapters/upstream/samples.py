"""The metrics of every store that is reached over HTTP: its reads, and its calls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.upstream.statistics import AdmissionState, Histogram


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
