"""JSON that the protocol accepts, and none beside it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.strict_json import MAX_DEPTH, MalformedJsonError, parse_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_ordinary_documents_come_through(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b'{"a":1}{"a":1}',
        b'{"a":1,"a":2}',
        b'[{"a":{"b":1,"b":1}}]',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1" * 10_000,
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"{'a':1}",
        b"[1,]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    ],
)
def test_anything_doubtful_is_malformed(document: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        parse_json(document)


def test_depth_is_bounded_but_width_is_not() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    assert parse_json("[" + ",".join(["[]"] * 1000) + "]") == [[]] * 1000
    assert parse_json("[" + ",".join(['{"a":1}'] * 1000) + "]") == [{"a": 1}] * 1000


def test_brackets_inside_text_do_not_count_as_depth() -> None:
    assert parse_json('"' + "[" * 1000 + '"') == "[" * 1000


def test_the_error_keeps_nothing_of_the_text() -> None:
    with pytest.raises(MalformedJsonError) as caught:
        parse_json(b'{"secret": "canary-value"')

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "canary" not in str(caught.value)
