"""Orders and answers on the control subject, and the event for operators."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.change_notice.messages import (
    Cause,
    Invalidation,
    MalformedMessageError,
    ReplicaAnswer,
    changed_event,
)
from adapters.nats.subjects import ControlSubjects
from domain.model.errors import InvalidRequest
from domain.model.selection import Selection

SCOPE = (("environment", "prod"), ("project_id", "p-1"))
SELECTIONS = {
    "key": Selection.one("/payments/API_KEY", SCOPE),
    "folder": Selection.below("/payments", SCOPE),
    "all": Selection.everything(),
}


def order(selection: Selection) -> Invalidation:
    return Invalidation("abcdefgh-000001", "replica-1", Cause.FLUSH, selection)


def written(**changes: Any) -> bytes:
    members = json.loads(order(SELECTIONS["folder"]).to_json()) | changes
    return json.dumps(
        {name: value for name, value in members.items() if value != "absent"}
    ).encode()


@pytest.mark.parametrize("selection", SELECTIONS.values())
def test_an_order_comes_back_as_it_was_written(selection: Selection) -> None:
    assert Invalidation.from_json(order(selection).to_json()) == order(selection)


@pytest.mark.parametrize(("member", "selection"), SELECTIONS.items())
def test_an_order_names_exactly_one_of_key_folder_and_all(
    member: str, selection: Selection
) -> None:
    document = json.loads(order(selection).to_json())

    assert document.keys() & {"key", "folder", "all"} == {member}
    assert document.keys() - {member} == {"schema", "id", "origin", "cause", "scope"}
    assert document["scope"] == dict(selection.scope)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"null",
        written(schema=2),
        written(schema="absent"),
        written(schema=True),
        written(id=""),
        written(id="x" * 129),
        written(id="a b"),
        written(id="abc\n"),
        written(origin="\u00e4"),
        written(cause="whim"),
        written(cause="absent"),
        written(folder="absent"),
        written(all=True),
        written(key="/a/B"),
        written(folder="absent", all=False),
        written(folder="absent", all=1),
        written(folder="absent", key="a/B"),
        written(folder="absent", key="/a/"),
        written(folder="absent", key="/a/../B"),
        written(folder="payments"),
        written(folder="/a//b"),
        written(folder="/*"),
        written(folder="/\0"),
        written(folder=["/"]),
        written(scope=[]),
        written(scope={"environment": 1}),
        written(scope={"environment": ""}),
        written(scope={"environment": "a\nb"}),
        written(scope={"Environment": "prod"}),
        written(scope={f"name_{chr(97 + number)}": "x" for number in range(9)}),
        written(more="members"),
        written(id="a" * 20_000),
        written().replace(b'"id"', b'"id":"twice","id"'),
    ],
)
def test_anything_else_is_no_order(data: bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        Invalidation.from_json(data)

    assert str(caught.value) == "no invalidation"
    assert caught.value.__context__ is None


@given(st.binary(max_size=300))
def test_reading_raises_one_kind_of_error_only(data: bytes) -> None:
    for read in (Invalidation.from_json, ReplicaAnswer.from_json):
        with pytest.raises(MalformedMessageError):
            read(data)


def test_an_answer_comes_back_as_it_was_written() -> None:
    answer = ReplicaAnswer("replica-1", 12)

    assert ReplicaAnswer.from_json(answer.to_json()) == answer


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"replica":"a"}',
        b'{"replica":"a","removed":-1}',
        b'{"replica":"a","removed":1.5}',
        b'{"replica":"a","removed":true}',
        b'{"replica":"a","removed":99999999999999999999}',
        b'{"replica":"[red]","removed":1}',
        b'{"replica":"\\u001b[2J","removed":1}',
        b'{"replica":"a","removed":1,"more":1}',
    ],
)
def test_anything_else_is_no_answer(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        ReplicaAnswer.from_json(data)


@pytest.mark.parametrize("key", ["API_KEY", "", "/", "/a/", "/a//B", "/../B", "/*/B"])
def test_a_key_must_be_a_whole_plain_path(key: str) -> None:
    with pytest.raises(InvalidRequest):
        Selection.one(key)


def test_two_spellings_of_a_folder_are_one_selection() -> None:
    assert Selection.below("/payments/") == Selection.below("/payments")
    assert Selection.below("/") == Selection.everything()


def test_a_scope_is_in_one_order_and_names_each_coordinate_once() -> None:
    assert Selection.everything(tuple(reversed(SCOPE))) == Selection.everything(SCOPE)
    with pytest.raises(InvalidRequest):
        Selection.everything((*SCOPE, SCOPE[0]))


def test_the_event_of_a_folder_says_where_when_and_why() -> None:
    order_of_webhook = Invalidation("id-1", "replica-1", Cause.STORE, SELECTIONS["folder"])

    assert json.loads(changed_event(order_of_webhook, "infisical", 1_800_000_000.5, 2)) == {
        "schema": 1,
        "event": "secrets.changed",
        "id": "id-1",
        "time": "2027-01-15T08:00:00.500Z",
        "cause": "store",
        "backend": "infisical",
        "environment": "prod",
        "project_id": "p-1",
        "scope": {"environment": "prod", "project_id": "p-1"},
        "folder": "/payments",
        "key": None,
        "replicas": 2,
    }


def test_the_event_of_a_key_names_the_key_alone() -> None:
    event = json.loads(changed_event(order(SELECTIONS["key"]), "infisical", 0, 1))

    assert (event["key"], event["folder"]) == ("/payments/API_KEY", None)


def test_control_subjects_lie_beside_those_of_the_protocol() -> None:
    subjects = ControlSubjects("my.secrets", "vault")

    assert subjects.of("invalidate") == "my.secrets.control.vault.invalidate"
    assert subjects.event("changed") == "my.secrets.events.vault.changed"


@pytest.mark.parametrize("part", ["", "a b", "a.*", ">", "a..b", "a\n"])
def test_a_part_that_cannot_stand_in_a_subject_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        ControlSubjects(part, "b")
    with pytest.raises(ValueError, match="backend"):
        ControlSubjects("a", part)
