"""One field of a JSON secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.json_field import select_field
from domain.model.secret import Secret, SecretValue

VALUE = """{"user": "päss", "empty": "", "port": 5432, "ratio": 1.10, "huge": 1e400, "big": %s,
 "on": true, "off": null, "list": [1, "a", {"b": 2.50}], "nested": {"x": {"y": []}}, "": "blank"}"""


def selected(field: str, value: str | bytes = VALUE % ("9" * 40)) -> str | bytes:
    return select_field(Secret("3", SecretValue(value), "up-1"), field).value.reveal()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("user", "päss"),
        ("empty", ""),
        ("", "blank"),
        ("port", "5432"),
        ("ratio", "1.10"),
        ("huge", "1e400"),
        ("big", "9" * 40),
        ("on", "true"),
        ("off", "null"),
        ("list", '[1,"a",{"b":2.50}]'),
        ("nested", '{"x":{"y":[]}}'),
    ],
)
def test_a_member_is_text_as_it_is_or_json_text(field: str, expected: str) -> None:
    assert selected(field) == expected


def test_version_and_origin_stay_those_of_the_whole_secret() -> None:
    secret = select_field(Secret("3", SecretValue('{"a":"b"}'), "up-1", "cache"), "a")

    assert (secret.version, secret.upstream_request_id, secret.source) == ("3", "up-1", "cache")


def test_a_binary_value_that_holds_json_has_fields_too() -> None:
    assert selected("a", b'{"a":"b"}') == "b"


@pytest.mark.parametrize("field", ["missing", "USER", "nested.x", "user "])
def test_a_missing_member_is_not_found(field: str) -> None:
    with pytest.raises(SecretNotFound):
        selected(field)


@pytest.mark.parametrize(
    "value", ["", "plain", "[1]", '"text"', "12", "null", '{"a":1,"a":2}', b"\xff\x00", '{"a":NaN}']
)
def test_a_value_that_is_no_json_object_has_no_fields(value: str | bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        selected("a", value)

    assert caught.value.__context__ is None


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.lists(st.text())))
def test_json_text_means_the_same_as_the_member(members: dict[str, object]) -> None:
    for field, member in members.items():
        text = selected(field, json.dumps(members))

        assert isinstance(text, str)
        assert json.loads(text) == member
