"""The bench's own arithmetic: a wrong median would praise a slow service."""

from __future__ import annotations

import pytest

from benchmarks.figures import (
    cost_each,
    ideal_seconds,
    median_ratio,
    percentile,
    scaling_with_cores,
)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100
    assert percentile([7.0], 0.5) == 7


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_or_beyond_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_a_cost_is_in_microseconds() -> None:
    assert cost_each(seconds=0.5, count=1000) == pytest.approx(500)


def test_each_cost_is_held_against_its_own_neighbours() -> None:
    # Twice as slow a machine in the second half changes no ratio.
    assert median_ratio([15, 30, 30], [10, 10, 20, 20]) == pytest.approx(1.5)


def test_a_single_disturbed_round_does_not_count() -> None:
    assert median_ratio([15, 150, 15], [10, 10, 10, 10]) == pytest.approx(1.5)


def test_a_cost_without_neighbours_is_refused() -> None:
    with pytest.raises(ValueError, match="yardstick"):
        median_ratio([15, 15], [10, 10])


def test_the_ideal_asks_once_for_each_secret_as_fast_as_the_upstream_allows() -> None:
    assert ideal_seconds(1, 150, latency=0.02) == pytest.approx(0.02)
    assert ideal_seconds(301, 150, latency=0.02) == pytest.approx(2.02)


def test_workers_whose_requests_cost_more_scale_by_less() -> None:
    assert scaling_with_cores(2, cost_of_one=150, cost_of_many=150) == pytest.approx(2)
    assert scaling_with_cores(2, cost_of_one=150, cost_of_many=200) == pytest.approx(1.5)
