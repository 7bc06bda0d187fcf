"""How often a worker was replaced by a new process, as the supervisor told that process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.metrics.catalogue import WORKER_RESTARTS, WorkerEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.metrics.registry import Metrics


def show_restarts(metrics: Metrics, worker: int, ends: Mapping[WorkerEnd, int]) -> None:
    """Show a count for every way to end, 0 for those that did not happen.

    Args:
        metrics: of the process that is there now.
        worker: its number, from 0.
        ends: how those before it ended.
    """
    restarts = metrics.counter(WORKER_RESTARTS)
    for end in WorkerEnd:
        # All from the start: a series that begins with its first restart has no increase for it.
        restarts.labels(str(worker), end).inc(ends.get(end, 0))
