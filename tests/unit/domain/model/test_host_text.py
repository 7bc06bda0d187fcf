"""What a host repeats of each error."""

from __future__ import annotations

import pytest

from domain.model.errors import REQUEST_ERRORS, PolicyError, SecretNotFound, Unauthorized
from domain.model.host_text import host_text
from domain.model.replies import write_error


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
def test_a_host_repeats_our_text_exactly_where_it_crosses_the_wire(kind: type) -> None:
    error = kind("Do this.")

    said = host_text(error.wire_name, "Do this. (request abc)")

    crosses = b"Do this." in write_error(error, "abc")
    assert said.startswith("server error: ")
    assert ("Do this. (request abc)" in said) == crosses


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SecretNotFound("x"), "server error: Secret not found"),
        (Unauthorized("x"), "server error: Error fetching secret: unauthorized"),
        (PolicyError("x"), "server error: Error processing policies: $x"),
    ],
)
def test_the_words_are_those_measured_at_a_host(
    error: SecretNotFound | Unauthorized | PolicyError, said: str
) -> None:
    assert host_text(error.wire_name, error.advice) == said
