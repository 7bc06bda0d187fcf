"""Fields of a secret whose store says that they hold base64."""

from __future__ import annotations

import base64
import json

import pytest

from domain.model.errors import SecretNotFound, UpstreamError
from domain.model.json_field import select_field
from domain.model.secret import Secret, SecretValue


def _secret(**members: object) -> Secret:
    return Secret("3", SecretValue(json.dumps(members)), "call-1", "stale", 30.0, "noted", "base64")


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"text", bytes(range(256))])
def test_a_field_is_served_as_the_bytes_that_it_encodes(payload: bytes) -> None:
    secret = select_field(_secret(key=base64.b64encode(payload).decode()), "key")

    assert secret.value.reveal() == payload


def test_line_breaks_in_a_field_do_not_count() -> None:
    assert select_field(_secret(key="3q2+\r\n7w==\n"), "key").value.reveal() == b"\xde\xad\xbe\xef"


@pytest.mark.parametrize("member", ["not base64!", "3q2-7w==", "3q2+7w", "3q2+7x==", 12, None, {}])
def test_a_field_that_is_no_base64_is_an_error_that_keeps_the_value(member: object) -> None:
    with pytest.raises(UpstreamError) as refused:
        select_field(_secret(key=member), "key")

    assert refused.value.reason == "encoding_broken"
    assert refused.value.__context__ is None
    assert "3q2" not in refused.value.advice


def test_a_missing_field_is_not_found_whatever_the_encoding() -> None:
    with pytest.raises(SecretNotFound):
        select_field(_secret(key="3q2+7w=="), "other")


def test_what_the_store_said_beside_the_value_stays_with_the_field() -> None:
    secret = select_field(_secret(key="3q2+7w=="), "key")

    assert secret == Secret(
        "3", SecretValue(b"\xde\xad\xbe\xef"), "call-1", "stale", 30.0, "noted", None
    )
