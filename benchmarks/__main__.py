"""Measure everything, or chosen phases, and print one table.

`python -m benchmarks [--quick] [--json FILE] [--only PHASE ...]`
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.floor import Floor
from benchmarks.phases import (
    cold_storm,
    concurrency,
    kubernetes_reads,
    limited_storm,
    memory,
    nats_kv_peer,
    saturation,
    scaling,
    start_up,
    storm,
    uncached,
    vault_callers,
)
from benchmarks.report import print_table, write_json
from benchmarks.sealed_requests import Requester
from benchmarks.service import THIS, Build
from benchmarks.stage import PROPERTIES, secret_name, secret_value
from domain.model.replies import write_secret
from domain.model.secret import Secret, SecretValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Section

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"

SETTINGS = {"CACHE_TTL_SECONDS": "5"}
"""The default, spelled out: what is measured is the service as it comes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        windows: minutes to wait for the second tries after the limited storm.
    """

    rounds: int
    requests: int
    starts: int
    storms: int
    cached: int
    long_run: tuple[int, int]
    windows: int


FULL = Plan(
    rounds=9,
    requests=12_000,
    starts=5,
    storms=3,
    cached=10_000,
    long_run=(100_000, 1_000_000),
    windows=2,
)
QUICK = Plan(
    rounds=3, requests=6_000, starts=2, storms=1, cached=1_000, long_run=(20_000, 60_000), windows=0
)

PHASES = (
    "saturation",
    "concurrency",
    "scaling",
    "storm",
    "limited-storm",
    "cold-storm",
    "start",
    "cached",
    "long-run",
    "uncached",
    "vault-callers",
    "kubernetes",
)


def main() -> int:
    """Read the command line, measure, print, write; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: a minute")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures go")
    parser.add_argument(
        "--only",
        choices=PHASES,
        action="append",
        help="measure this phase alone; may be given several times",
    )
    parser.add_argument(
        "--beside",
        type=Path,
        action="append",
        default=[],
        metavar="CHECKOUT",
        help="measure that build too, in turns, where a phase can; it needs a `.venv` of its own",
    )
    parser.add_argument(
        "--nats-kv-peer",
        type=Path,
        metavar="PROGRAM",
        help="measure NATS KV beside this secrets-nats-kv too",
    )
    options = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        parser.error("it reads what processes use from /proc, so it needs Linux")
    plan = QUICK if options.quick else FULL
    builds = (THIS, *map(Build.at, options.beside))
    phases = frozenset(options.only or (() if options.nats_kv_peer else PHASES))
    sections = asyncio.run(run(plan, phases, builds))
    if options.nats_kv_peer:
        say("NATS KV beside secrets-nats-kv")
        peer = nats_kv_peer.measure(SETTINGS, options.nats_kv_peer, requests=plan.requests // 4)
        sections.append(asyncio.run(peer))
    print_table(sections)
    write_json(sections, options.json)
    sys.stdout.write(f"The same as JSON: {options.json}\n")
    return 0


async def run(
    plan: Plan, phases: frozenset[str], builds: Sequence[Build] = (THIS,)
) -> list[Section]:
    """Measure the chosen phases, one after the other, each on a service of its own."""
    name = secret_name(0)
    floor = Floor(
        plain_request=Requester(PROPERTIES).ask(name),
        plain_reply=write_secret(Secret("1", SecretValue(secret_value(name)))),
    )
    sections: list[Section] = []
    floor_us = floor.measure(4000)
    if "saturation" in phases:
        say("CPU at saturation")
        found, floor_us = await saturation.measure(
            floor, SETTINGS, builds, rounds=plan.rounds, requests=plan.requests
        )
        sections += found
    if "concurrency" in phases:
        say("throughput and latency")
        sections += await concurrency.measure(
            floor_us, SETTINGS, builds, rounds=plan.rounds, requests=2 * plan.requests
        )
    if "scaling" in phases:
        say("scaling with workers")
        sections.append(await scaling.measure(SETTINGS, rounds=plan.rounds, requests=plan.requests))
    for build in builds if "storm" in phases else ():
        say(build.titled("rollout storm"))
        sections.append(await storm.measure(SETTINGS, build))
    for build in builds if "limited-storm" in phases else ():
        say(build.titled("rollout storm with a limit on calls"))
        sections.append(await limited_storm.measure(SETTINGS, build, windows=plan.windows))
    if "cold-storm" in phases:
        say("a storm that no cache helps")
        sections += await cold_storm.measure(SETTINGS, builds, rounds=plan.storms)
    if "start" in phases:
        say("cold start")
        sections += await start_up.measure(SETTINGS, builds, starts=plan.starts)
    if "cached" in phases:
        say("memory of the cache")
        sections.append(await memory.measure_cached(SETTINGS, secrets=plan.cached))
    if "long-run" in phases:
        say("memory over a long run")
        first, last = plan.long_run
        sections.append(await memory.measure_long_run(SETTINGS, first=first, last=last))
    return sections + await run_stores(plan, phases, builds)


async def run_stores(plan: Plan, phases: frozenset[str], builds: Sequence[Build]) -> list[Section]:
    """Measure the chosen phases of stores that are asked for each request."""
    sections: list[Section] = []
    if "uncached" in phases:
        say("reads that no cache answers")
        sections += await uncached.measure(
            SETTINGS, builds, rounds=plan.rounds, requests=plan.requests // 4
        )
    if "vault-callers" in phases:
        say("callers' logins at Vault")
        sections.append(await vault_callers.measure(SETTINGS, requests=plan.requests))
    if "kubernetes" in phases:
        say("reads of Kubernetes Secrets")
        sections.append(await kubernetes_reads.measure(SETTINGS, requests=plan.requests))
    return sections


def say(phase: str) -> None:
    """Tell on stderr what is being measured, so that the table stands alone on stdout."""
    sys.stderr.write(f"measuring {phase} …\n")


if __name__ == "__main__":
    sys.exit(main())
