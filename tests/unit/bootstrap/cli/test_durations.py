"""Lengths of time on the command line."""

from __future__ import annotations

import pytest

from bootstrap.cli.reporting import duration_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604_800), (" 1h ", 3600)],
)
def test_a_number_and_a_unit_are_seconds(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1.5h", "1w", "1 h", "\u0661h", "1h30m"])
def test_anything_else_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s"):
        duration_seconds(text)
