"""Where references may stand in a start request, and where they are refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wasmcloud2.start_request import (
    MAX_REFERENCES,
    UnreadableStartError,
    mentions_in,
    read_start,
    workload_id_of,
)
from tests.support.refused import refused
from tests.unit.adapters.wasmcloud2.relay_rig import start_request

URI = "secret://db"


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_every_place_of_config_and_environment_is_filled() -> None:
    request = start_request({"db": URI, "other": "plain"}, {"TOKEN": "secret://token?version=2"})
    request["workload"]["service"] = {"localResources": {"environment": {"S": URI}}}
    start = read_start(body(request))

    assert (start.workload_id, start.namespace, start.name) == ("one", "shop", "cart")
    assert [place.shown for place in start.places] == [
        "witWorld.components[0].localResources.environment.TOKEN",
        "witWorld.hostInterfaces[0].config.db",
        "service.localResources.environment.S",
    ]
    filled = json.loads(start.filled({URI: 'v"1', "secret://token?version=2": "ß"}))
    expected = copy.deepcopy(request)
    expected["workload"]["witWorld"]["hostInterfaces"][0]["config"]["db"] = 'v"1'
    resources = expected["workload"]["witWorld"]["components"][0]["localResources"]
    resources["environment"]["TOKEN"] = "ß"
    expected["workload"]["service"]["localResources"]["environment"]["S"] = 'v"1'
    assert filled == expected
    assert start.document == request


def test_a_value_that_looks_like_a_reference_stays_a_value() -> None:
    start = read_start(body(start_request({"db": URI})))

    filled = start.filled({URI: "secret://other"})

    assert json.loads(filled)["workload"]["witWorld"]["hostInterfaces"][0]["config"] == {
        "db": "secret://other"
    }
    assert start.places[0].holder["db"] == URI


def test_the_protos_own_spelling_of_members_is_read_as_well() -> None:
    text = json.dumps(start_request({"db": URI}, {"T": URI}))
    for camel, snake in (
        ("witWorld", "wit_world"),
        ("hostInterfaces", "host_interfaces"),
        ("localResources", "local_resources"),
        ("workloadId", "workload_id"),
    ):
        text = text.replace(camel, snake)
    start = read_start(text.encode())

    assert len(start.places) == 2
    assert start.workload_id == "one"
    assert b"secret://" not in start.filled({URI: "v"})


def test_escapes_of_json_hide_no_reference() -> None:
    text = json.dumps(start_request({"db": "X"})).replace('"X"', r'"\u0073ecret:\/\/db"')

    assert [place.text for place in read_start(text.encode()).places] == [URI]


def at(path: list[str | int], value: object) -> bytes:
    request = start_request({"db": "x"}, {"T": "x"})
    node: Any = request
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return body(request)


WORLD: list[str | int] = ["workload", "witWorld"]


@pytest.mark.parametrize(
    "misplaced",
    [
        at(["workloadId"], URI),
        at(["workload", "name"], URI),
        at(["workload", "namespace"], URI),
        at(["workload", "annotations"], {"a": URI}),
        at(["workload", "annotations"], {URI: "a"}),
        at(["workload", "volumes"], [{"hostPath": {"localPath": URI}}]),
        at([*WORLD, "components", 0, "image"], URI),
        at([*WORLD, "components", 0, "imagePullSecret"], {"password": URI}),
        at([*WORLD, "components", 0, "localResources", "config"], {"a": URI}),
        at([*WORLD, "components", 0, "localResources", "environment"], [URI]),
        at([*WORLD, "components", 0, "localResources", "environment"], {URI: "x"}),
        at([*WORLD, "components", 0, "localResources", "environment"], {"a": {"b": URI}}),
        at([*WORLD, "hostInterfaces", 0, "config"], URI),
        at([*WORLD, "hostInterfaces", 0, "name"], URI),
        at([*WORLD, "hostInterfaces"], {"config": {"a": URI}}),
        at(["workload", "config"], {"a": URI}),
        at(["config"], {"a": URI}),
        at(["workload", "service"], {"environment": {"a": URI}}),
        at(["workload", "annotations"], {"a": "SECRET://db"}),
        at(["workload", "annotations"], {"a": "see secret://db there"}),
    ],
)
def test_a_reference_in_another_place_is_refused(misplaced: bytes) -> None:
    with pytest.raises(UnreadableStartError) as refused:
        read_start(misplaced)

    assert refused.value.reason == "secret_uri_misplaced"
    assert "secret://db" not in refused.value.advice.lower()


@pytest.mark.parametrize(
    "text",
    ["SECRET://db", " secret://db", "x secret://db", "secret://", "secret://a b", "secret://a?a"],
)
def test_what_is_nearly_a_reference_is_no_literal(text: str) -> None:
    with pytest.raises(UnreadableStartError) as refused:
        read_start(at([*WORLD, "hostInterfaces", 0, "config"], {"db": text}))

    assert refused.value.reason == "secret_uri_malformed"
    assert refused.value.workload_id == "one"
    assert "witWorld.hostInterfaces[0].config.db: " in refused.value.advice


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"workloadId": "one", "workloadId": "two"}',
        b'{"workload": {"name": NaN}}',
        b'{"a":' * 200,
    ],
)
def test_what_is_no_object_is_refused(malformed: bytes) -> None:
    with refused(UnreadableStartError, "start_request_malformed"):
        read_start(malformed)


def test_too_many_references_and_too_long_names_are_refused() -> None:
    many = {f"K{n}": URI for n in range(MAX_REFERENCES + 1)}

    for request in (start_request(many), start_request({"db": URI}, name="n" * 257)):
        with pytest.raises(UnreadableStartError, match=r"at most|may have"):
            read_start(body(request))


@pytest.mark.parametrize(
    "document", [{}, {"workload": None}, {"workload": []}, {"workload": {"witWorld": None}}]
)
def test_a_request_without_references_is_read_whatever_it_holds(document: Any) -> None:
    assert read_start(body(document)).places == ()


TEXTS = st.text(max_size=8) | st.sampled_from([URI, "secret://x?y=z", "Secret://", "plain"])
TREES = st.recursive(
    TEXTS | st.none() | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "workload",
                    "witWorld",
                    "hostInterfaces",
                    "config",
                    "components",
                    "localResources",
                    "environment",
                    "service",
                    "wit_world",
                    "secret://k",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["workload", "workloadId"]), TREES))
def test_no_document_brings_a_reference_past_the_relay(document: dict[str, Any]) -> None:
    text = body(document)
    try:
        start = read_start(text)
    except UnreadableStartError:
        assert mentions_in(text)
        return
    filled = start.filled({place.text: "value" for place in start.places})
    assert not mentions_in(filled)
    assert bool(start.places) == mentions_in(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a": "secret://x"}', True),
        (b'{"a": "SECRET://x"}', True),
        (rb'{"a": "\u0073ecret://x"}', True),
        (rb'{"a": "secret:\/\/x"}', True),
        (rb"no json \ secret:\/\/x", True),
        (b'{"workloadId": "one"}', False),
        (rb'{"workloadId": "\u0073"}', False),
        (b"\xff\xfe", False),
    ],
)
def test_a_mention_is_found_in_any_request(text: bytes, *, found: bool) -> None:
    assert mentions_in(text) is found


def test_the_id_of_any_request_is_read() -> None:
    assert workload_id_of(b'{"workloadId": "one"}') == "one"
    assert workload_id_of(b'{"workload_id": "one"}') == "one"
    assert [workload_id_of(text) for text in (b"", b"[]", b'{"workloadId": 1}')] == ["", "", ""]
