"""The same rollout before an Infisical that takes 120 reads a minute: few can be answered."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.figures import percentile
from benchmarks.phases.storm import CALLS_A_SECOND, LATENCY_SECONDS, REQUESTS, SECRETS
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CALLS_A_MINUTE = 120
HOST_SECONDS = 10.0
"""How long a host waits for a secret before it gives up."""

_PATIENCE_SECONDS = 20.0
"""Twice as long: a reply after the host's ten seconds is late, one after these is lost."""

_AGAIN = re.compile(r"try again in ([0-9]+) seconds")


async def measure(settings: Mapping[str, str], *, retry: bool) -> Section:
    """Send all requests in one burst to a service that has just started.

    Args:
        settings: environment variables of the service.
        retry: whether those that can be served in the next minute ask again when they were told to;
            this takes that minute.
    """
    keys = [secret_name(number % SECRETS) for number in range(REQUESTS)]
    async with set_up(
        settings,
        secrets=SECRETS,
        latency=LATENCY_SECONDS,
        calls_a_second=CALLS_A_SECOND,
        calls_a_minute=CALLS_A_MINUTE,
    ) as stage:
        before = stage.reads
        result = await stage.ask(keys, REQUESTS, _PATIENCE_SECONDS)
        calls = stage.reads - before
        lost = REQUESTS - len(result.latencies)
        late = sum(latency > HOST_SECONDS for latency in result.latencies)
        told = [retry_seconds(text) for _, _, text in result.refusals]
        soonest = min((seconds for seconds in told if seconds), default=0)
        again = [
            keys[number]
            for (number, _, _), seconds in zip(result.refusals, told, strict=True)
            if seconds == soonest
        ]
        answered_again = 0
        if retry and again and not lost:
            await asyncio.sleep(soonest)
            second = await stage.ask(again, len(again), _PATIENCE_SECONDS)
            answered_again = second.answered
        beyond = stage.upstream.window.refused if stage.upstream.window else 0
    # What the service asked when it started counts in the same minute.
    left = CALLS_A_MINUTE - before
    ideal = sum(number % SECRETS < left for number in range(REQUESTS))
    waits = [latency for _, latency, _ in result.refusals] or [0.0]
    p50, longest = percentile(waits, 0.5), max(waits)
    rows = [
        Row("calls to the upstream", f"{calls}", f"{calls / left:.2f} x what is left"),
        Row("beyond the limit, answered 429", f"{beyond}"),
        Row(
            "requests answered within 10 s",
            f"{result.answered:,}",
            f"{result.answered / ideal:.2f} x ideal",
        ),
        Row(
            f"refused: half within {p50:.2f} s, all within {longest:.2f} s",
            f"{len(waits):,}",
            f"{longest / HOST_SECONDS:.0%} of a host's wait",
        ),
        Row("refusals that say when to retry", _spread(told), f"{_share(told):.0%}"),
        Row("replies late, lost", f"{late}, {lost}"),
    ]
    if retry:
        rows.append(
            Row(
                f"asked again after the {soonest} s they were told: answered",
                f"{answered_again:,}",
                f"{answered_again / max(len(again), 1):.0%}",
            )
        )
    return Section(
        f"The same storm, {CALLS_A_MINUTE} calls a minute",
        rows,
        {
            "upstream_calls": calls,
            "upstream_429": beyond,
            "answered": result.answered,
            "ideal_answered": ideal,
            "refused": len(result.refusals),
            "longest_wait_of_a_refusal_seconds": longest,
            "retry_after_seconds": dict(Counter(told)),
            "late": late,
            "lost": lost,
            "asked_again": len(again) if retry else 0,
            "answered_again": answered_again,
        },
    )


def retry_seconds(text: str) -> int:
    """Return the seconds after which a refusal says to try again, or 0 when it does not."""
    found = _AGAIN.search(text)
    return int(found[1]) if found else 0


def _share(told: Sequence[int]) -> float:
    return sum(map(bool, told)) / max(len(told), 1)


def _spread(told: Sequence[int]) -> str:
    said = [seconds for seconds in told if seconds]
    if not said:
        return "none"
    first, last = min(said), max(said)
    return f"in {first} s" if first == last else f"in {first} to {last} s"
