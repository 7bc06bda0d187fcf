"""The secret request as hosts send it."""

from __future__ import annotations

import json

import pytest

from domain.model.errors import InvalidRequest
from domain.model.messages import Application, RequestContext, SecretRequest

FULL = {
    "key": "API_KEY",
    "field": "user",
    "version": "3",
    "context": {
        "entity_jwt": "e",
        "host_jwt": "h",
        "application": {"name": "shop", "policy": "{}"},
    },
}


def body(**changes: object) -> bytes:
    return json.dumps({**FULL, **changes}).encode()


def test_a_full_request_is_read() -> None:
    assert SecretRequest.from_json(body()) == SecretRequest(
        key="API_KEY",
        field="user",
        version="3",
        context=RequestContext(
            entity_jwt="e", host_jwt="h", application=Application(name="shop", policy="{}")
        ),
    )


def test_what_may_be_missing_may_be_missing_or_null() -> None:
    context = {"entity_jwt": "e", "host_jwt": "h"}
    shortest = SecretRequest.from_json(json.dumps({"key": "K", "context": context}).encode())
    nulls = {"application": {"name": None, "policy": None}}
    with_nulls = SecretRequest.from_json(
        json.dumps(
            {"key": "K", "field": None, "version": None, "context": {**context, **nulls}}
        ).encode()
    )

    assert (shortest.field, shortest.version, shortest.context.application) == (None, None, None)
    assert with_nulls.context.application == Application()
    assert SecretRequest.from_json(body(context={**context, "application": None})).key == "API_KEY"


def test_unknown_members_are_ignored() -> None:
    assert SecretRequest.from_json(body(future="x")) == SecretRequest.from_json(body())


def test_a_request_is_written_as_it_is_read() -> None:
    request = SecretRequest.from_json(body())

    assert SecretRequest.from_json(request.to_json()) == request


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        body(key=None),
        body(key=7),
        body(field=7),
        body(version=3),
        body(context=None),
        body(context={"entity_jwt": "e"}),
        body(context={"host_jwt": "h"}),
        body(context={"entity_jwt": 1, "host_jwt": "h"}),
        body(context={"entity_jwt": "e", "host_jwt": "h", "application": "shop"}),
        body(context={"entity_jwt": "e", "host_jwt": "h", "application": {"policy": {}}}),
        body()[:-1] + b',"key":"OTHER"}',
    ],
)
def test_anything_else_is_an_invalid_request_that_keeps_nothing(plaintext: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        SecretRequest.from_json(plaintext)

    assert caught.value.__context__ is None


def test_tokens_are_not_in_the_repr() -> None:
    request = SecretRequest.from_json(
        body(context={"entity_jwt": "canary-1", "host_jwt": "canary-2"})
    )

    assert "canary" not in repr(request)
