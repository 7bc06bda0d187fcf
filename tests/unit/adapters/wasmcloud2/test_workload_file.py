"""Workloads as people write them down."""

from __future__ import annotations

import json

import pytest

from adapters.wasmcloud2.workload_file import WorkloadFileError, read_workload_file

YAML = b"""\
namespace: shop
name: cart
witWorld:
  components:
    - image: registry/cart:1
      poolSize: 2
      localResources:
        environment: {DEBUG: no, CODE: 010, EMPTY: , TOKEN: secret://token}
  hostInterfaces:
    - {namespace: wasmcloud, package: secrets, interfaces: [store], config: {db: secret://db}}
"""


def test_a_workload_alone_becomes_a_start_request() -> None:
    body = read_workload_file(YAML)

    component = body["workload"]["witWorld"]["components"][0]
    assert body["workloadId"] == "shop-cart"
    assert component["poolSize"] == 2
    assert component["localResources"]["environment"] == {
        "DEBUG": "no",
        "CODE": "010",
        "EMPTY": "",
        "TOKEN": "secret://token",
    }


def test_a_whole_request_in_json_is_kept() -> None:
    request = {"workloadId": "x", "workload": {"namespace": "a", "name": "b", "on": [True, None]}}

    assert read_workload_file(json.dumps(request).encode()) == request
    assert read_workload_file(json.dumps(request).encode(), "y")["workloadId"] == "y"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "empty"),
        (b"a", "no workload"),
        (b"- a", "no workload"),
        (b"\xff", "not UTF-8"),
        (b"a: [", "not YAML"),
        (b"name: a", "no namespace"),
        (b"namespace: a", "no name"),
        (b"namespace: 1\nname: a", "no namespace"),
        (b"namespace: a\nname: a\nname: b", "Line 3: this name stands twice"),
        (b"namespace: &x a\nname: *x", "alias"),
        (b"namespace: a\nname: b\n<<: {c: d}", "plain name"),
        (b"namespace: a\nname: b\n? [c]\n: d", "plain name"),
        (b"namespace: a\nname: b\nconfig: {c: [d]}", "write a text"),
        (b"workload: a", "no members"),
        (b"workloadId: 1\nworkload: {namespace: a, name: b}", "must be a text"),
        (b"a: " + b"[" * 100 + b"]" * 100, "nested"),
        (b"a: b\n" * 300_000, "more than"),
    ],
)
def test_anything_else_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(WorkloadFileError, match=problem):
        read_workload_file(text)
