"""Infisical's figures for metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.infisical.state import InfisicalState
    from adapters.upstream.histogram import Histogram


def infisical_samples(state: InfisicalState) -> Iterator[Sample]:
    """Yield every figure of the Infisical client as it is now."""
    reads = state.reads
    if state.token is not None:
        yield Sample(
            "infisical_login_age_seconds",
            "Seconds since the last login to Infisical that succeeded; absent before.",
            state.token.age_seconds,
        )
        yield Sample(
            "infisical_token_remaining_seconds",
            "Seconds for which Infisical's access token is still used, 0 without a usable one; "
            "absent before the first.",
            state.token.remaining_seconds,
        )
    for call, seconds in (("login", state.login_pause_seconds), ("read", reads.pause_seconds)):
        yield Sample(
            "infisical_pause_seconds",
            "Seconds until the next call of this kind may be sent, for a rate limit or, as logins, "
            "after refused ones; 0 if it may be now.",
            seconds,
            (("call", call),),
        )
    yield Sample("infisical_reads_in_flight", "Reads from Infisical under way.", reads.in_flight)
    yield Sample(
        "infisical_reads_waiting",
        "Reads that wait for a connection or for a rate limit.",
        reads.waiting,
    )
    yield Sample(
        "infisical_reads_refused_total",
        "Reads refused because they would have been sent too late.",
        reads.refused,
        kind="counter",
    )
    if reads.limit is not None:
        yield Sample(
            "infisical_reads_limit",
            "Reads a minute that Infisical takes, as its answers say; absent until one does.",
            reads.limit,
        )
    for status, count in state.calls.items():
        yield Sample(
            "infisical_calls_total",
            "HTTP calls to Infisical that ended, logins and repeated tries included, by the class "
            "of the answer's status.",
            count,
            (("status", status),),
            "counter",
        )
    for (call, status), durations in state.call_durations.items():
        yield _histogram(
            "infisical_call_duration_seconds",
            "Time of each HTTP call to Infisical by itself, without waiting for admission or "
            "trying again.",
            durations,
            (("call", call), ("status", status)),
        )
    yield _histogram(
        "infisical_read_wait_seconds",
        "Time that reads waited for a connection or for a rate limit before they were sent; those "
        "that were refused instead are not among them.",
        state.read_waits,
    )


def _histogram(
    name: str, meaning: str, durations: Histogram, labels: tuple[tuple[str, str], ...] = ()
) -> Sample:
    buckets = (*durations.within, (math.inf, durations.count))
    return Sample(name, meaning, durations.sum_seconds, labels, "histogram", buckets)
