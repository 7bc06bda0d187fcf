"""The same rollout before an Infisical that takes 120 reads a minute: few can be answered."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import percentile
from benchmarks.phases.storm import CALLS_A_SECOND, LATENCY_SECONDS, REQUESTS, SECRETS
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up
from benchmarks.upstream import WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.service import Build
    from benchmarks.stage import Stage

CALLS_A_MINUTE = 120
HOST_SECONDS = 10.0
"""How long a host waits for a secret before it gives up."""

_PATIENCE_SECONDS = 20.0
"""Twice as long: a reply after the host's ten seconds is late, one after these is lost."""

_TOLD_LATER_SECONDS = 2
"""What the service adds to a minute at most, so that the time holds."""

_AGAIN = re.compile(r"try again in ([0-9]+) second")


@dataclass(frozen=True, slots=True)
class SecondTry:
    """Requests that were refused with the same retry time and sent again after it.

    Attributes:
        seconds: their retry time.
        longest_wait: seconds until the last reply of this try.
    """

    seconds: int
    asked: int
    answered: int
    longest_wait: float


async def measure(settings: Mapping[str, str], build: Build, *, windows: int) -> Section:
    """Send all requests in one burst to a service that has just started.

    Args:
        settings: environment variables of the service.
        build: which service is run.
        windows: how many of the following minutes to wait for; requests with a retry time in
            them ask again then.
    """
    keys = [secret_name(number % SECRETS) for number in range(REQUESTS)]
    async with set_up(
        settings,
        secrets=SECRETS,
        latency=LATENCY_SECONDS,
        calls_a_second=CALLS_A_SECOND,
        calls_a_minute=CALLS_A_MINUTE,
        build=build,
    ) as stage:
        before = stage.reads
        result = await stage.ask(keys, REQUESTS, _PATIENCE_SECONDS)
        calls = stage.reads - before
        lost = REQUESTS - len(result.latencies)
        late = sum(latency > HOST_SECONDS for latency in result.latencies)
        times = [retry_seconds(text) for _, _, text in result.refusals]
        by_time = _by_time(times, [keys[number] for number, _, _ in result.refusals], windows)
        tries = [] if lost else await _come_back(stage, by_time)
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
        Row("refusals that say when to retry", _spread(times), f"{_share(times):.0%}"),
        Row("replies late, lost", f"{late}, {lost}"),
        *(
            Row(
                f"asked again after their retry time of {again.seconds} s: answered",
                f"{again.answered:,}",
                f"{again.answered / again.asked:.1%}",
            )
            for again in tries
        ),
    ]
    return Section(
        build.titled(f"The same storm, {CALLS_A_MINUTE} calls a minute"),
        rows,
        {
            "upstream_calls": calls,
            "upstream_429": beyond,
            "answered": result.answered,
            "ideal_answered": ideal,
            "refused": len(result.refusals),
            "longest_wait_of_a_refusal_seconds": longest,
            "retry_after_seconds": dict(Counter(times)),
            "late": late,
            "lost": lost,
            "asked_again": sum(again.asked for again in tries),
            "answered_again": sum(again.answered for again in tries),
            "second_tries": [asdict(again) for again in tries],
        },
    )


def _by_time(times: Sequence[int], keys: Sequence[str], windows: int) -> dict[int, list[str]]:
    """Return the keys by their retry time within so many minutes, the soonest first."""
    by_time: dict[int, list[str]] = {}
    for seconds, key in sorted(zip(times, keys, strict=True)):
        if 0 < seconds <= windows * (WINDOW_SECONDS + _TOLD_LATER_SECONDS):
            by_time.setdefault(seconds, []).append(key)
    return by_time


async def _come_back(stage: Stage, by_time: Mapping[int, Sequence[str]]) -> list[SecondTry]:
    """Let each group ask again, all together, when its retry time has passed."""
    loop = asyncio.get_running_loop()
    refused_at = loop.time()
    tries: list[SecondTry] = []
    for seconds, keys in by_time.items():
        await asyncio.sleep(refused_at + seconds - loop.time())
        result = await stage.ask(keys, len(keys), _PATIENCE_SECONDS)
        longest = max(result.latencies, default=_PATIENCE_SECONDS)
        tries.append(SecondTry(seconds, len(keys), result.answered, longest))
        if len(result.latencies) < len(keys):
            # Replies that come after all would be taken for those of the next group.
            break
    return tries


def retry_seconds(text: str) -> int:
    """Return the seconds after which a refusal says to try again, or 0 when it does not."""
    found = _AGAIN.search(text)
    return int(found[1]) if found else 0


def _share(times: Sequence[int]) -> float:
    return sum(map(bool, times)) / max(len(times), 1)


def _spread(times: Sequence[int]) -> str:
    said = [seconds for seconds in times if seconds]
    if not said:
        return "none"
    first, last = min(said), max(said)
    return f"in {first} s" if first == last else f"in {first} to {last} s"
