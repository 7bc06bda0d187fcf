"""What `request` tells about each error of the protocol."""

from __future__ import annotations

import pytest

from bootstrap.cli.refusals import CAUSES, explained
from domain.model.errors import (
    REQUEST_ERRORS,
    RequestError,
    SecretNotFound,
    StoreBusy,
    Unauthorized,
)
from domain.model.replies import read_error, write_error

HOST = "NHOST"


@pytest.mark.parametrize("kind", REQUEST_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_likely_causes_and_a_way_to_the_reason(kind: type[RequestError]) -> None:
    error = read_error(write_error(kind("Do this."), "tgoyaimr-00000b"))

    text = explained(error, host=HOST, made_up=False)

    assert text.startswith(f"{error.wire_name}: ")
    assert len(text.partition("Likely causes:\n")[2].split("\n  - ")) >= 1
    assert f"audit why --since 10m --host {HOST}" in text
    assert kind in CAUSES


def test_an_error_with_a_text_keeps_it_and_its_request_is_named() -> None:
    text = explained(
        StoreBusy("Try again in 9 seconds. (request tgoyaimr-00000b)"), host=HOST, made_up=False
    )

    assert "UpstreamError: Try again in 9 seconds." in text
    assert "request_id tgoyaimr-00000b" in text


def test_a_made_up_identity_is_the_first_cause_of_a_missing_right() -> None:
    made_up = explained(Unauthorized("No."), host=HOST, made_up=True)
    real = explained(Unauthorized("No."), host=HOST, made_up=False)

    assert made_up.partition("Likely causes:\n")[2].startswith("  - this identity was made up")
    assert "made up" not in real
    assert "made up" not in explained(SecretNotFound("No."), host=HOST, made_up=True)


def test_what_a_host_says_of_the_same_is_told() -> None:
    missing = explained(SecretNotFound("No."), host=HOST, made_up=False)
    busy = explained(StoreBusy("Later."), host=HOST, made_up=False)

    assert "A wasmCloud host says: server error: Secret not found\n" in missing
    assert "host says: server error: Error fetching secret: Later.\n" in busy


def test_a_text_of_the_peer_steers_no_terminal() -> None:
    assert "\x1b" not in explained(StoreBusy("\x1b[2Jgone"), host=HOST, made_up=False)
