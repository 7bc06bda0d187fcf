"""Values of recorded Secrets."""

from __future__ import annotations

import json

import pytest

from adapters.kubernetes.secret_object import SecretObject, State
from domain.model.errors import InvalidRequest, SecretNotFound, UpstreamError
from tests.support.kubernetes_server import recording


def secret(name: str) -> SecretObject:
    found = SecretObject.read(recording(name)["response"]["body"])
    assert found is not None
    return found


def made(**data: object) -> SecretObject:
    document = {
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
        "data": data,
    }
    found = SecretObject.read(document)
    assert found is not None
    return found


def test_uid_and_resource_version_are_the_state() -> None:
    found = secret("get_ok_kinds")

    assert (found.namespace, found.name) == ("shop", "kinds")
    assert found.state == State("5398997c-36ab-4299-8cd8-4460235312d2", "206")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unicode", "pässwörd ✓"),
        ("empty", ""),
        ("number", "42"),
        ("json", '{"a": {"b": "c"}}'),
        ("multiline", "line 1\nline 2\n"),
        (".hidden", "dot"),
        ("UPPER_and-dash.dot_9", "ok"),
        ("binary", b"\xff\x4d\x00\xfe\x02\n"),
    ],
)
def test_text_is_text_and_anything_else_is_binary(key: str, value: str | bytes) -> None:
    if key == "binary":
        value = __import__("base64").b64decode(
            recording("get_ok_kinds")["response"]["body"]["data"][key]
        )

    assert secret("get_ok_kinds").value(key, None).reveal() == value


def test_a_property_has_text_answered_as_binary() -> None:
    assert secret("get_ok_kinds").value("number", "binary").reveal() == b"42"


def test_binary_that_is_to_be_text_is_refused() -> None:
    with pytest.raises(UpstreamError) as failure:
        secret("get_ok_kinds").value("binary", "utf-8")

    assert failure.value.reason == "kubernetes_value_not_text"


def test_a_null_value_is_an_empty_one() -> None:
    assert made(key=None).value("key", None).reveal() == ""
    key = next(iter(recording("get_data_null_value")["response"]["body"]["data"]))
    assert secret("get_data_null_value").value(key, None).reveal() == ""


@pytest.mark.parametrize("name", ["get_ok_nothing", "get_ok_plain"])
def test_an_absent_key_is_not_found(name: str) -> None:
    with pytest.raises(SecretNotFound) as failure:
        secret(name).value("absent", None)

    assert failure.value.reason == "kubernetes_key_not_found"


def test_all_values_are_one_json_object() -> None:
    assert json.loads(str(made(a="MQ==", b="w6Q=").value(None, None).reveal())) == {
        "a": "1",
        "b": "ä",
    }
    assert secret("get_ok_nothing").value(None, None).reveal() == "{}"
    assert made(a="MQ==").value(None, "binary").reveal() == b'{"a":"1"}'


def test_a_binary_value_cannot_be_among_all() -> None:
    with pytest.raises(InvalidRequest) as failure:
        secret("get_ok_kinds").value(None, None)

    assert failure.value.reason == "kubernetes_values_not_text"


@pytest.mark.parametrize("value", ["_w==", "YQ", "Y Q==", "YQ==x", "ä"])
def test_what_is_no_base64_is_never_passed_on(value: str) -> None:
    with pytest.raises(UpstreamError) as failure:
        made(key=value).value("key", None)

    assert failure.value.reason == "kubernetes_answer_unreadable"
    assert failure.value.__context__ is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "Secret"},
        {"kind": "SecretList", "metadata": {"uid": "u", "resourceVersion": "1"}},
        {"kind": "Secret", "metadata": {"uid": "u"}},
        {"kind": "Secret", "metadata": {"uid": "u", "resourceVersion": 1}},
        {"kind": "Secret", "metadata": {"uid": "u", "resourceVersion": "1"}, "data": []},
        {"kind": "Secret", "metadata": {"uid": "u", "resourceVersion": "1"}, "data": {"a": 1}},
    ],
)
def test_what_is_no_secret_is_none(document: dict[str, object]) -> None:
    assert SecretObject.read(document) is None


def test_neither_repr_shows_a_value() -> None:
    assert "MQ==" not in repr(made(key="MQ=="))
