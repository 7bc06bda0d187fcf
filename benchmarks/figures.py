"""The bench's own arithmetic: medians, percentiles, and what one request costs."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MICROSECONDS = 1e6
MILLISECONDS = 1e3


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (above 0, at most 1) of all do not exceed.

    Raises:
        ValueError: there are no values, or the share is out of range.
    """
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values, and a share above 0 and up to 1")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def cost_each(seconds: float, count: int) -> float:
    """Return what one of `count` operations took, in microseconds."""
    return seconds / count * MICROSECONDS


def median_ratio(costs: Sequence[float], yardsticks: Sequence[float]) -> float:
    """Return the median of the costs, each against the yardsticks measured before and after it.

    A busy neighbour slows neighbouring measurements alike; comparing these alone leaves it out.

    Raises:
        ValueError: there is not one yardstick more than costs.
    """
    if len(yardsticks) != len(costs) + 1:
        raise ValueError("every cost needs a yardstick before and after it")
    around = [(yardsticks[i] + yardsticks[i + 1]) / 2 for i in range(len(costs))]
    return median(cost / near for cost, near in zip(costs, around, strict=True))


def ideal_seconds(distinct: int, calls_a_second: float, latency: float) -> float:
    """Return the least time in which an upstream can answer for that many distinct secrets."""
    return (distinct - 1) / calls_a_second + latency


def scaling_with_cores(workers: int, cost_of_one: float, cost_of_many: float) -> float:
    """Return how often one worker's throughput that many have, given a free core for each.

    Nothing but the CPU time of their own requests counts: not the load, which costs cores here that
    hosts bring along.
    """
    return workers * cost_of_one / cost_of_many
