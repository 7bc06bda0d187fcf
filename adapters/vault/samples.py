"""Vault's figures for metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.upstream.admission import Admission
    from adapters.upstream.histogram import Histogram
    from adapters.upstream.statistics import CallStatistics
    from adapters.vault.service_tokens import ServiceTokens


def vault_samples(
    tokens: ServiceTokens | None, admission: Admission, statistics: CallStatistics
) -> Iterator[Sample]:
    """Yield every figure of the Vault client as it is now."""
    if tokens is not None:
        yield from _token_samples(tokens)
    state = admission.state()
    yield Sample("vault_reads_in_flight", "Reads from Vault under way.", state.in_flight)
    yield Sample(
        "vault_reads_waiting",
        "Reads that wait for a connection or for a rate limit.",
        state.waiting,
    )
    yield Sample(
        "vault_reads_refused_total",
        "Reads refused because their turn would have come too late.",
        state.refused,
        kind="counter",
    )
    yield Sample(
        "vault_pause_seconds",
        "Seconds until the next read may be sent, for a rate limit; 0 if it may be now.",
        state.pause_seconds,
    )
    for (call, status), durations in statistics.durations.items():
        yield _histogram(
            "vault_call_duration_seconds",
            "Time of each HTTP call to Vault by itself, without waiting for its turn or trying "
            "again.",
            durations,
            (("call", call), ("status", status)),
        )
    yield _histogram(
        "vault_read_wait_seconds",
        "Time that reads waited for a connection or for a rate limit before they were sent; those "
        "that were refused instead are not among them.",
        admission.waits,
    )


def _token_samples(tokens: ServiceTokens) -> Iterator[Sample]:
    if not math.isinf(tokens.remaining_seconds):
        yield Sample(
            "vault_token_remaining_seconds",
            "Seconds for which the service's token is still used, 0 without one; absent for a "
            "token without an end, and where callers log in.",
            tokens.remaining_seconds,
        )
    obtained, failed = tokens.counts
    for outcome, count in (("obtained", obtained), ("failed", failed)):
        yield Sample(
            "vault_logins_total",
            "Logins and renewals of the service by outcome.",
            count,
            (("outcome", outcome),),
            "counter",
        )


def _histogram(
    name: str, meaning: str, durations: Histogram, labels: tuple[tuple[str, str], ...] = ()
) -> Sample:
    buckets = (*durations.within, (math.inf, durations.count))
    return Sample(name, meaning, durations.sum_seconds, labels, "histogram", buckets)
