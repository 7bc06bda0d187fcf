"""A rollout: thousands of components start at once and ask for a few hundred secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import ideal_seconds
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.service import Build

REQUESTS = 5000
SECRETS = 300
LATENCY_SECONDS = 0.020
CALLS_A_SECOND = 150.0


async def measure(settings: Mapping[str, str], build: Build) -> Section:
    """Send all requests in one burst to a service that has just started."""
    keys = [secret_name(number % SECRETS) for number in range(REQUESTS)]
    async with set_up(
        settings,
        secrets=SECRETS,
        latency=LATENCY_SECONDS,
        calls_a_second=CALLS_A_SECOND,
        build=build,
    ) as stage:
        before = stage.reads
        result = await stage.ask(keys, REQUESTS)
        calls = stage.reads - before
    ideal = ideal_seconds(SECRETS, CALLS_A_SECOND, LATENCY_SECONDS)
    failures = REQUESTS - result.answered
    longest = max(result.latencies)
    return Section(
        build.titled(
            f"Rollout storm: {REQUESTS:,} requests for {SECRETS} secrets in one burst, cold cache"
        ),
        [
            Row("calls to the upstream", f"{calls}", f"{calls / SECRETS:.2f} for each secret"),
            Row(
                "until the last answer",
                f"{result.seconds:.2f} s",
                f"{result.seconds / ideal:.2f} x ideal",
            ),
            Row("longest wait", f"{longest:.2f} s", f"{longest / ideal:.2f} x ideal"),
            Row("failures", f"{failures}"),
        ],
        {
            "upstream_calls": calls,
            "seconds": result.seconds,
            "ideal_seconds": ideal,
            "longest_wait_seconds": longest,
            "failures": failures,
            "errors": len(result.errors),
        },
    )
