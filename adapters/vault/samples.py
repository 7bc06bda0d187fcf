"""Vault's figures for metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from adapters.upstream.statistics import upstream_samples
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.upstream.admission import Admission
    from adapters.upstream.statistics import CallStatistics
    from adapters.vault.mount_pauses import MountPauses
    from adapters.vault.service_tokens import ServiceTokens


def vault_samples(
    tokens: ServiceTokens | None,
    admission: Admission,
    statistics: CallStatistics,
    pauses: MountPauses,
) -> Iterator[Sample]:
    """Yield every figure of the Vault client as it is now."""
    if tokens is not None:
        yield from _token_samples(tokens)
    state = admission.state()
    yield Sample(
        "vault_pause_seconds",
        "Seconds until reads of every mount may be sent, for a rate limit; 0 if they may be now.",
        max(state.pause_seconds, pauses.longest_seconds),
    )
    yield from upstream_samples("vault", "Vault", state, statistics.durations, admission.waits)


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
