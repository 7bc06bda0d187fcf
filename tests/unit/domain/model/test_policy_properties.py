"""The policy document of the manifest."""

from __future__ import annotations

import json

import pytest

from domain.model.errors import PolicyError
from domain.model.policy_properties import MAX_PROPERTIES, PROPERTIES_TYPE, parse_policy


def document(**properties: object) -> str:
    return json.dumps({"type": PROPERTIES_TYPE, "properties": properties})


def test_an_empty_policy_has_no_properties() -> None:
    assert parse_policy("") == {}
    assert parse_policy("{}") == {}


def test_properties_are_flat_text() -> None:
    assert parse_policy(document(environment="prod", path="/a")) == {
        "environment": "prod",
        "path": "/a",
    }


def test_the_backend_property_has_done_its_work_before_it_gets_here() -> None:
    assert parse_policy(document(backend="infisical", path="/a")) == {"path": "/a"}


@pytest.mark.parametrize(
    "policy",
    [
        "nonsense",
        "[]",
        "null",
        '"text"',
        json.dumps({"type": "policy.secret.wasmcloud.dev/v1alpha1", "properties": {}}),
        json.dumps({"type": None}),
        json.dumps({"type": PROPERTIES_TYPE, "properties": []}),
        json.dumps({"type": PROPERTIES_TYPE, "properties": None}),
        document(version=1),
        document(flag=True),
        document(paths=["/a", "/b"]),
        document(nested={"a": "b"}),
        document(nothing=None),
        '{"properties":{"path":"/a","path":"/b"}}',
        document(**{f"p{number}": "x" for number in range(MAX_PROPERTIES + 1)}),
    ],
)
def test_anything_else_is_a_policy_error(policy: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(policy)


def test_properties_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        parse_policy(document(path="/a"))["path"] = "/b"  # type: ignore[index]  # on purpose
