"""Rows of reads that no cache answers, beside what another backend comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.figures import MILLISECONDS, percentile
from benchmarks.report import Row

if TYPE_CHECKING:
    from benchmarks.load import LoadResult
    from benchmarks.report import Section

LATENCY_SECONDS: Final = 0.010
RUNS: Final = ((1, LATENCY_SECONDS), (2, LATENCY_SECONDS), (1, 0.0))
"""Processes, and how far away the store is. Right beside it is where the others were measured."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another backend, which answers one request at a time.

    Attributes:
        a_second: what it came to right beside a real store, from and to.
        calls: what it sends for a request, one after the other.
    """

    name: str
    a_second: tuple[float, float]
    calls: int


class ColdRun(NamedTuple):
    """One run. Attributes: `calls`, to the store; `cpu`, the seconds of all processes."""

    result: LoadResult
    calls: int
    connections: int
    cpu: float


def add_row(section: Section, peer: Peer, run: ColdRun, workers: int, latency: float) -> None:
    """Add one run to a section."""
    latencies = run.result.latencies
    p50, p99 = (percentile(latencies, share) for share in (0.5, 0.99))
    each, speed = run.calls / len(latencies), run.result.a_second
    low, high = peer.a_second
    ratio = f"{speed / high:.1f} to {speed / low:.1f} x {peer.name}"
    if latency:
        at_most = 1 / (peer.calls * latency)
        ratio += f" beside its store, {speed / at_most:.0f} x the {at_most:.0f} it can come to here"
    section.rows.append(
        Row(
            f"{workers} process{'es' if workers > 1 else ''}"
            f"{'' if latency else ' beside the store'}, {run.connections} connections: "
            f"p50 {p50 * MILLISECONDS:.1f} ms, p99 {p99 * MILLISECONDS:.1f} ms",
            f"{speed:,.0f} a second",
            f"{ratio}, {each:.3f} calls each",
        )
    )
    section.figures[str(workers) if latency else "beside"] = {
        "requests": len(latencies),
        "a_second": speed,
        "p50_ms": p50 * MILLISECONDS,
        "p99_ms": p99 * MILLISECONDS,
        "calls_each": each,
        "connections": run.connections,
        "cpu_ms_each": run.cpu * MILLISECONDS / len(latencies),
        "errors": run.result.errors,
    }
