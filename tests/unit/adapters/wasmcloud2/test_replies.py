"""Hosts' answers: read, cleared of values, and written in their own shape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wasmcloud2.answers import read_status, refused, without
from adapters.wasmcloud2.message import WorkloadStatus
from adapters.wasmcloud2.redaction import REDACTED, Redaction

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


@given(st.text(min_size=4, max_size=20), st.text(max_size=10), st.text(max_size=10))
def test_no_value_stays_in_any_answer(value: str, head: str, tail: str) -> None:
    document = {"workloadStatus": {"message": f"{head}{value}{tail}", "x": [{"y": value}]}}
    for ascii_only in (True, False):
        body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

        cleared = json.dumps(json.loads(without(body, [value])), ensure_ascii=False)

        assert value not in cleared.replace(REDACTED, "")
