"""What the error codes of JetStream mean to operators of a bucket."""

from __future__ import annotations

import pytest

from adapters.nats_kv.jetstream_errors import error_of


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (10077, "a delete needs room as well"),
        (10111, "allow_rollup_hdrs"),
        (10054, "max_msg_size"),
    ],
)
def test_a_refusal_names_its_code_and_what_to_change(code: int, said: str) -> None:
    error = error_of(code)

    assert error is not None
    assert error.reason == "jetstream_refused"
    assert said in error.advice
    assert str(code) in error.advice


def test_a_code_that_a_bucket_does_not_meet_has_no_text() -> None:
    assert error_of(10900) is None
    assert error_of(None) is None
