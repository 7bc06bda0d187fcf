"""What the error codes of JetStream mean to operators of a bucket."""

from __future__ import annotations

import pytest
from nats.js.errors import APIError, ServiceUnavailableError

from adapters.nats_kv.calls import upstream_error
from adapters.nats_kv.jetstream_errors import error_of


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (10077, "cannot write to its disk"),
        (10023, "max_file_store"),
        (10028, "max_memory_store"),
        (10060, "stream of another name"),
        (10120, "tier"),
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("maximum bytes exceeded", "max_bytes"),
        ("maximum messages exceeded", "max_msgs"),
        ("maximum messages per subject exceeded", "discard_new_per_subject"),
        ("write /data/1.blk: no space left on device", "disk is full"),
    ],
)
def test_a_message_that_is_not_stored_says_which_limit_is_reached(words: str, said: str) -> None:
    error = error_of(10077, words)

    assert error is not None
    assert said in error.advice
    assert "/data" not in error.advice


@pytest.mark.parametrize("code", [10004, 10008, 10035, 10036, 10063, 10075, 10163, 10999])
def test_a_503_with_a_code_is_an_answer_of_jetstream(code: int) -> None:
    refused = ServiceUnavailableError(code=503, err_code=code, description="canary")

    advice = upstream_error(refused).advice

    assert str(code) in advice
    assert "does not answer" not in advice
    assert "canary" not in advice


def test_a_503_without_a_code_is_no_answer() -> None:
    assert "does not answer" in upstream_error(ServiceUnavailableError(code=503)).advice


def test_a_status_without_a_code_is_an_answer_of_jetstream() -> None:
    assert "error 408" in upstream_error(APIError(code=408, description="canary")).advice


def test_a_code_that_a_bucket_does_not_meet_has_no_text() -> None:
    assert error_of(10900) is None
    assert error_of(None) is None
