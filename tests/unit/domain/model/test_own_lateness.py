"""How much lateness of the process itself is worth a word."""

from __future__ import annotations

from domain.model.own_lateness import recent_advice


def test_little_lateness_needs_no_advice() -> None:
    assert recent_advice(0.0) == ""


def test_a_process_that_came_late_for_seconds_is_told_to_get_more_cpu() -> None:
    assert "CPU" in recent_advice(9.0)
