"""Words in errors."""

from __future__ import annotations

import pytest

from domain.model.wording import seconds_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3.0, "1 second"), (0.0, "1 second"), (1.0, "1 second"), (1.01, "2 seconds")],
)
def test_a_time_to_wait_is_whole_and_never_none(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words
