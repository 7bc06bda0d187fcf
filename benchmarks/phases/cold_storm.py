"""A rollout in which no two requests ask for the same secret, so that no cache helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.figures import MILLISECONDS, percentile
from benchmarks.recorded_infisical import RecordedInfisical
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.service import Build

REQUESTS: Final = 5000
LATENCY_SECONDS: Final = 0.010
CONNECTIONS: Final = 20
"""What one folder uses of the default of INFISICAL_MAX_CONNECTIONS."""

IDEAL_SECONDS: Final = REQUESTS / CONNECTIONS * LATENCY_SECONDS
CASES: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("cached", {}),
    ("no cache", {"CACHE_TTL_SECONDS": "0"}),
)


async def measure(
    settings: Mapping[str, str], builds: Sequence[Build], *, rounds: int
) -> list[Section]:
    """Send one burst to each build in turn, to a service that has just started."""
    sections = {build: Section(build.titled(_TITLE)) for build in builds}
    for case, more in CASES:
        found: dict[Build, list[tuple[float, float, float, int]]] = {build: [] for build in builds}
        for _ in range(rounds):
            for build in builds:
                found[build].append(await _storm({**settings, **more}, build))
        for build, runs in found.items():
            seconds, p99, cpu, failures = sorted(runs)[len(runs) // 2]
            sections[build].rows += [
                Row(
                    f"{case}: {(REQUESTS - failures) / seconds:,.0f} answered a second, "
                    f"CPU {cpu:.2f} ms each",
                    f"{seconds:.2f} s",
                    f"{seconds / IDEAL_SECONDS:.2f} x ideal",
                ),
                Row(f"{case}: p99", f"{p99:.2f} s", f"{p99 / IDEAL_SECONDS:.2f} x ideal"),
                Row(f"{case}: failures in {rounds} storms", f"{sum(run[3] for run in runs)}"),
            ]
            sections[build].figures[case] = {
                "seconds": [run[0] for run in runs],
                "p99_seconds": p99,
                "ideal_seconds": IDEAL_SECONDS,
                "cpu_ms_each": cpu,
                "failures": failures,
            }
    return list(sections.values())


_TITLE: Final = (
    f"Cold storm: {REQUESTS:,} requests for as many secrets, {LATENCY_SECONDS * MILLISECONDS:.0f} "
    "ms away, one process"
)


async def _storm(settings: Mapping[str, str], build: Build) -> tuple[float, float, float, int]:
    """Return seconds, p99 in seconds, CPU milliseconds for each, and failures."""
    keys = [secret_name(number) for number in range(REQUESTS)]
    async with (
        RecordedInfisical(LATENCY_SECONDS) as upstream,
        set_up(settings, secrets=0, upstream_url=upstream.url, build=build) as stage,
    ):
        prepared = stage.prepare(keys)
        before = stage.service.cpu_seconds()
        result = await stage.send(keys, prepared, REQUESTS)
        cpu = stage.service.cpu_seconds() - before
    return (
        result.seconds,
        percentile(result.latencies, 0.99),
        cpu * MILLISECONDS / REQUESTS,
        REQUESTS - result.answered,
    )
