"""Requests a second, and how long each waits, with few and with many hosts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import MICROSECONDS, MILLISECONDS, percentile
from benchmarks.report import Row, Section
from benchmarks.service import THIS, Build
from benchmarks.stage import metrics_on, secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTS = (1, 64, 512)
_SECRETS = 50


async def measure(
    floor_us: float, settings: Mapping[str, str], *, requests: int, build: Build = THIS
) -> Section:
    """Let each host ask again as soon as it has its answer; warm cache."""
    section = Section(build.titled("Throughput and latency, one process, cache warm"))
    alone = MICROSECONDS / floor_us
    async with set_up({**settings, **metrics_on()}, secrets=_SECRETS, build=build) as stage:
        keys = [secret_name(number % _SECRETS) for number in range(requests)]
        for hosts in HOSTS:
            # One host alone waits for each answer: fewer requests take as long.
            asked = keys if hosts > 1 else keys[: requests // 4]
            prepared = stage.prepare(asked)
            await stage.warm(asked)
            result = await stage.send(asked, prepared, hosts)
            p50, p99 = (percentile(result.latencies, share) for share in (0.5, 0.99))
            share = result.a_second / alone
            section.rows.append(
                Row(
                    f"{hosts} host{'s' if hosts > 1 else ''}: "
                    f"p50 {p50 * MILLISECONDS:.2f} ms, p99 {p99 * MILLISECONDS:.2f} ms "
                    f"({p99 / p50:.2f} x)",
                    f"{result.a_second:,.0f} a second",
                    f"{share:.0%} of libsodium alone",
                )
            )
            section.figures[str(hosts)] = {
                "requests": len(asked),
                "a_second": result.a_second,
                "share_of_floor": share,
                "p50_ms": p50 * MILLISECONDS,
                "p99_ms": p99 * MILLISECONDS,
                "errors": result.errors,
            }
            stage.service.shorten_log()
    return section
