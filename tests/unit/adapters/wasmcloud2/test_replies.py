"""Hosts' answers: read, cleared of values, written in their own shape, however long they are."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wasmcloud2.answers import read_status, refused, without
from adapters.wasmcloud2.message import MAX_BRACKETS, WorkloadStatus
from adapters.wasmcloud2.redaction import REDACTED, Redaction
from adapters.wasmcloud2.start_request import (
    UnreadableStartError,
    mentions_in,
    read_start,
    workload_id_of,
)
from domain.model import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# As `wash host` 2.10.4 answers a start whose image it cannot pull.
FAILED = b"""{
  "workloadStatus": {
    "workloadId": "one",
    "workloadState": "WORKLOAD_STATE_ERROR",
    "message": "failed to pull image for component 'reader': Connection refused"
  }
}"""


def test_a_refusal_has_the_shape_of_a_hosts_failed_start() -> None:
    ours, theirs = json.loads(refused("one", "no")), json.loads(FAILED)

    assert ours["workloadStatus"].keys() == theirs["workloadStatus"].keys()
    assert read_status(refused("one", "no")) == WorkloadStatus("one", "ERROR", "no")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (FAILED, ("one", "ERROR")),
        (b'{"workloadStatus": {"workloadId": "a", "workloadState": "X"}}', ("a", "X")),
        (b'{"workloadStatus": {}}', ("", "")),
    ],
)
def test_a_status_is_read(body: bytes, found: tuple[str, str]) -> None:
    status = read_status(body)

    assert status is not None
    assert status[:2] == found


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"workloadStatus": []}', b'{"workloadStatus": {"message": 1}}']
)
def test_what_is_no_status_is_none(body: bytes) -> None:
    assert read_status(body) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("invalid value hunter2-x for db", "hunter2-x"),
        ('invalid value "a\\"b\\\\c" for db', 'a"b\\c'),
        ("line\nend", "line\nend"),
        ('debug "line\\nend"', "line\nend"),
        ("äß-geheim", "äß-geheim"),
        ('as JSON "\\u00e4\\u00df-geheim"', "äß-geheim"),
        ("pin 12 given", "12"),
        ("12", "12"),
    ],
)
def test_a_value_is_found_however_it_is_written(text: str, value: str) -> None:
    cleared = json.loads(without(refused("one", text), [value]))["workloadStatus"]["message"]

    assert REDACTED in cleared
    assert value not in cleared


def test_a_short_value_takes_nothing_out_of_other_words() -> None:
    assert without(refused("one", "start failed"), ["a"]) == refused("one", "start failed")


def test_an_answer_without_a_value_keeps_its_bytes() -> None:
    assert without(FAILED, ["s3cr3t"]) is FAILED
    assert without(FAILED, []) is FAILED
    assert without(FAILED, [""]) is FAILED


def test_the_longer_of_two_values_goes_as_a_whole() -> None:
    assert Redaction(["hunter2", "hunter2-long"]).clear("x hunter2-long y") == f"x {REDACTED} y"


def test_an_answer_that_is_no_json_is_cleared_too() -> None:
    assert without(b"\xff hunter2 \\", ["hunter2"]).endswith(b"[redacted] \\")


def texts_in(node: Any) -> Iterator[str]:
    """Yield every text of a document, names of members included: JSON's escapes are none."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from node
        yield from chain.from_iterable(map(texts_in, node.values()))
    elif isinstance(node, list):
        yield from chain.from_iterable(map(texts_in, node))


@given(st.text(min_size=4, max_size=20), st.text(max_size=10), st.text(max_size=10))
def test_no_value_stays_in_any_answer(value: str, head: str, tail: str) -> None:
    document = {"workloadStatus": {"message": f"{head}{value}{tail}", "x": [{"y": value}]}}
    for ascii_only in (True, False):
        body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

        cleared = list(texts_in(json.loads(without(body, [value]))))

        assert cleared
        assert not [text for text in cleared if value in text.replace(REDACTED, "")]


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
