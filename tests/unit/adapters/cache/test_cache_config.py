"""Settings that could not work are refused, with what to set instead."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from adapters.cache.config import CacheConfig


def test_the_defaults_are_five_seconds_and_never_stale() -> None:
    config = CacheConfig()

    assert (config.ttl_seconds, config.max_stale_seconds) == (5.0, 0.0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ttl_seconds", -1),
        ("ttl_seconds", math.nan),
        ("ttl_seconds", math.inf),
        ("max_stale_seconds", -1),
        ("patience_seconds", -1),
        ("negative_seconds", -0.1),
        ("negative_seconds", 1.1),
        ("call_seconds", 0),
        ("jitter_share", 1),
        ("jitter_share", -0.1),
        ("refresh_share", 0),
        ("refresh_share", 1.1),
        ("refresh_min_hits", 0),
        ("max_entries", 0),
        ("max_bytes", 0),
        ("max_waiting", 0),
    ],
)
def test_a_value_outside_its_range_is_refused(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match="cache"):
        replace(CacheConfig(), **{setting: value})  # type: ignore[arg-type]  # named by the test
