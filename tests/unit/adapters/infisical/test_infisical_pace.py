"""What a read hears that would wait for too long."""

from __future__ import annotations

from adapters.infisical.pace import SAMPLES, Pace


def test_a_wait_of_a_second_is_told_in_the_singular() -> None:
    pace = Pace()
    for number in range(SAMPLES):
        pace.freed(number / 10)

    assert pace.refusal(0).advice.endswith("try again in 1 second.")
    assert pace.refusal(19).advice.endswith("try again in 2 seconds.")
