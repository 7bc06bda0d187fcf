"""Requests and answers of a megabyte: they cost what their length says, whatever they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wasmcloud2.answers import read_status, without
from adapters.wasmcloud2.message import MAX_BRACKETS
from adapters.wasmcloud2.redaction import REDACTED, Redaction
from adapters.wasmcloud2.start_request import (
    UnreadableStartError,
    mentions_in,
    read_start,
    workload_id_of,
)
from domain.model import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL_OBJECTS = b'{"workloadId":"one","\\u0078":[' + b"{}," * MAX_BRACKETS + b"0]}"
TEXT = st.text(st.sampled_from('ab.-é"\\\n _]^'), max_size=30)


@pytest.fixture
def _no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_: str) -> Any:
        raise AssertionError("parsed")

    monkeypatch.setattr(strict_json, "_DECODER", type("Decoder", (), {"decode": decode}))


@pytest.mark.usefixtures("_no_parser")
def test_a_megabyte_of_small_objects_is_refused_unparsed() -> None:
    with pytest.raises(UnreadableStartError, match=str(MAX_BRACKETS)):
        read_start(SMALL_OBJECTS)
    assert workload_id_of(SMALL_OBJECTS) == ""
    assert read_status(SMALL_OBJECTS) is None
    assert not mentions_in(SMALL_OBJECTS)


def test_an_answer_that_is_not_parsed_is_cleared_as_a_text() -> None:
    answer = SMALL_OBJECTS.replace(b"one", b"hunter2")

    assert b"hunter2" not in without(answer, ["hunter2"])


def expected(text: str, values: Sequence[str]) -> str:
    """Replace by one expression of all values, as it is easy to see right."""
    literals = [
        re.escape(value) if len(value) > 3 else rf"(?<!\w){re.escape(value)}(?!\w)"
        for value in sorted({value for value in values if value}, key=len, reverse=True)
    ]
    return re.sub("|".join(literals), REDACTED, text) if literals else text


@given(st.text(st.sampled_from("ab.-é _]^"), max_size=60), st.lists(TEXT, max_size=5))
def test_values_are_found_as_one_expression_finds_them(text: str, values: list[str]) -> None:
    plain = [value for value in values if not set(value) & set('"\\\né')]

    assert Redaction(plain).clear(text) == expected(text, plain)


def test_thousands_of_values_are_compared_where_one_may_begin_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []
    long = Redaction._long

    def count(forms: Sequence[str], text: str, place: int) -> int:
        compared.append(len(forms))
        return long(forms, text, place)

    monkeypatch.setattr(Redaction, "_long", staticmethod(count))
    values = [f"{number:04}-of-a-secret" for number in range(5000)]

    text = "x" * 100_000 + " 4711-of-a-secret 4712-of-another"
    assert Redaction(values).clear(text) == "x" * 100_000 + f" {REDACTED} 4712-of-another"
    assert compared == [1, 1]
