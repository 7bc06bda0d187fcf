"""Requests a second, and how long each waits, with few and with many hosts at once."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.figures import MICROSECONDS, MILLISECONDS, percentile
from benchmarks.recorded_infisical import RecordedInfisical
from benchmarks.report import Row, Section
from benchmarks.service import THIS, Build
from benchmarks.stage import metrics_on, secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.stage import Stage

HOSTS: Final = (1, 64, 512)
GOAL: Final = 1.15
"""Of p99 to p50 at 64 hosts."""

_GOAL_HOSTS: Final = 64
_SECRETS: Final = 50


@dataclass
class _Found:
    """What one number of hosts met, a value a round; seconds."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def spread(self) -> float:
        """The median of the rounds' p99 in p50s."""
        return median(p99 / p50 for p50, p99 in zip(self.p50, self.p99, strict=True))


@dataclass
class _Measured:
    build: Build
    stage: Stage
    found: dict[int, _Found] = field(default_factory=lambda: {hosts: _Found() for hosts in HOSTS})

    async def add(self, keys: Sequence[str]) -> None:
        """Measure one round of each number of hosts."""
        for hosts, found in self.found.items():
            # One host alone waits for each answer: fewer requests take as long.
            asked = keys if hosts > 1 else keys[: len(keys) // 8]
            prepared = self.stage.prepare(asked)
            await self.stage.warm(asked)
            result = await self.stage.send(asked, prepared, hosts)
            found.p50.append(percentile(result.latencies, 0.5))
            found.p99.append(percentile(result.latencies, 0.99))
            found.a_second.append(result.a_second)
            found.errors += len(asked) - result.answered
            self.stage.service.shorten_log()

    def section(self, floor_us: float) -> Section:
        """Return the medians of the rounds."""
        section = Section(self.build.titled("Throughput and latency, one process, cache warm"))
        for hosts, found in self.found.items():
            share = median(found.a_second) * floor_us / MICROSECONDS
            section.rows.append(
                Row(
                    f"{hosts} host{'s' if hosts > 1 else ''}: "
                    f"p50 {median(found.p50) * MILLISECONDS:.2f} ms, "
                    f"p99 {median(found.p99) * MILLISECONDS:.2f} ms ({found.spread:.2f} x)",
                    f"{median(found.a_second):,.0f} a second",
                    f"{share:.0%} of libsodium alone",
                )
            )
            section.figures[str(hosts)] = {
                "a_second": found.a_second,
                "share_of_floor": share,
                "p50_seconds": found.p50,
                "p99_seconds": found.p99,
                "p99_in_p50": found.spread,
                "errors": found.errors,
            }
        is_met = self.found[_GOAL_HOSTS].spread <= GOAL
        goal = f"goal: p99 at most {GOAL} x p50 at {_GOAL_HOSTS} hosts"
        section.rows += [
            Row(goal, "met" if is_met else "missed"),
            Row("failures", f"{sum(found.errors for found in self.found.values())}"),
        ]
        return section


async def measure(
    floor_us: float,
    settings: Mapping[str, str],
    builds: Sequence[Build] = (THIS,),
    *,
    rounds: int,
    requests: int,
) -> list[Section]:
    """Let each host ask again as soon as it has its answer; warm cache, builds in turns."""
    keys = [secret_name(number % _SECRETS) for number in range(requests)]
    async with AsyncExitStack() as opened:
        measured = []
        for build in builds:
            # Values are refreshed meanwhile, at so little cost that no reply waits for it.
            upstream = await opened.enter_async_context(RecordedInfisical(0.0))
            kept = {**settings, **metrics_on()}
            stage = await opened.enter_async_context(
                set_up(kept, secrets=0, upstream_url=upstream.url, build=build)
            )
            await stage.introduce(keys)
            measured.append(_Measured(build, stage))
        for _ in range(rounds):
            for each in measured:
                await each.add(keys)
    return [each.section(floor_us) for each in measured]
