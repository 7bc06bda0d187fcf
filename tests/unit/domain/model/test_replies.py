"""The response JSON, byte for byte where the client cares."""

from __future__ import annotations

import json

import pytest

from domain.model.errors import (
    REQUEST_ERRORS,
    DecryptionFailed,
    EncryptionFailed,
    InvalidEntityJwt,
    InvalidHeaders,
    InvalidHostJwt,
    InvalidPayload,
    InvalidRequest,
    InvalidXKey,
    OtherError,
    PolicyError,
    RequestError,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.replies import (
    MalformedReplyError,
    read_error,
    read_secret,
    write_error,
    write_secret,
)
from domain.model.secret import Secret, SecretValue


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SecretNotFound("do this"), "SecretNotFound"),
        (InvalidXKey("do this"), "InvalidXKey"),
        (EncryptionFailed("do this"), "EncryptionError"),
        (DecryptionFailed("do this"), "DecryptionError"),
        (Unauthorized("do this"), "Unauthorized"),
        (InvalidRequest("do this"), "InvalidRequest"),
        (InvalidPayload("do this"), "InvalidPayload"),
        (InvalidHeaders("do this"), "InvalidHeaders"),
        (InvalidEntityJwt("do this."), {"InvalidEntityJWT": "do this. (request id-1)"}),
        (InvalidHostJwt("do this."), {"InvalidHostJWT": "do this. (request id-1)"}),
        (UpstreamError("do this."), {"UpstreamError": "do this. (request id-1)"}),
        (PolicyError("do this."), {"PolicyError": "do this. (request id-1)"}),
        (OtherError("do this."), {"Other": "do this. (request id-1)"}),
    ],
)
def test_every_error_has_the_one_shape_the_client_parses(
    error: RequestError, expected: object
) -> None:
    assert json.loads(write_error(error, "id-1")) == {"error": expected}


def test_the_table_above_and_the_except_clause_name_every_error() -> None:
    assert {kind.wire_name for kind in REQUEST_ERRORS} == {
        "SecretNotFound",
        "InvalidXKey",
        "EncryptionError",
        "DecryptionError",
        "Unauthorized",
        "InvalidRequest",
        "InvalidPayload",
        "InvalidHeaders",
        "InvalidEntityJWT",
        "InvalidHostJWT",
        "UpstreamError",
        "PolicyError",
        "Other",
    }


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
def test_an_error_is_read_back_as_itself(kind: type[RequestError]) -> None:
    error = read_error(write_error(kind("Do this."), "id-1"))

    assert type(error) is kind
    assert error.advice


@pytest.mark.parametrize(
    ("value", "members"),
    [
        ("päss\n", {"string_secret": "päss\n", "binary_secret": None}),
        ("", {"string_secret": "", "binary_secret": None}),
        (b"\x00\xff", {"string_secret": None, "binary_secret": [0, 255]}),
        (b"", {"string_secret": None, "binary_secret": []}),
    ],
)
def test_a_secret_has_exactly_one_value(value: str | bytes, members: dict[str, object]) -> None:
    body = write_secret(Secret("7", SecretValue(value)))

    assert json.loads(body) == {"secret": {"version": "7", **members}}
    assert read_secret(body) == Secret("7", SecretValue(value))


def test_text_that_is_no_unicode_is_an_upstream_error_and_kept_nowhere() -> None:
    with pytest.raises(UpstreamError) as caught:
        write_secret(Secret("1", SecretValue("canary\ud800")))

    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"secret":null}',
        b'{"secret":{"string_secret":"a"}}',
        b'{"secret":{"version":"1"}}',
        b'{"secret":{"version":1,"string_secret":"a"}}',
        b'{"secret":{"version":"1","string_secret":null,"binary_secret":null}}',
        b'{"secret":{"version":"1","string_secret":"a","binary_secret":[1]}}',
        b'{"secret":{"version":"1","binary_secret":[256]}}',
        b'{"secret":{"version":"1","binary_secret":[true]}}',
        b'{"secret":{"version":"1","binary_secret":"AAA"}}',
    ],
)
def test_a_success_of_another_shape_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read_secret(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"error":"NoSuchName"}',
        b'{"error":{"Other":1}}',
        b'{"error":{"NoSuchName":"text"}}',
        b'{"error":{"Other":"a","PolicyError":"b"}}',
        b'{"error":{}}',
        b'{"error":null}',
    ],
)
def test_a_failure_of_another_shape_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read_error(body)
