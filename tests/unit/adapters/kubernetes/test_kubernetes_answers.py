"""What each answer of the API server means, and which value of a Secret is served."""

from __future__ import annotations

import json

import pytest

from adapters.kubernetes import reasons
from adapters.kubernetes.answer import Answer, error_for
from adapters.kubernetes.secret_object import SecretObject, State
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from tests.support.kubernetes_model import MESSAGE, status
from tests.support.kubernetes_server import recorded_result, recording
from tests.support.refused import refused

ROWS: dict[str, tuple[type[SecretsError], str]] = {
    "get_not_found": (SecretNotFound, "secret_not_found"),
    "get_namespace_missing_admin": (SecretNotFound, "secret_not_found"),
    "etcd_hung_get_rv_0_absent": (SecretNotFound, "secret_not_found"),
    "get_namespace_missing": (Unauthorized, reasons.READ_DENIED),
    "get_forbidden": (Unauthorized, reasons.READ_DENIED),
    "get_forbidden_missing_secret": (Unauthorized, reasons.READ_DENIED),
    "get_named_other": (Unauthorized, reasons.READ_DENIED),
    "etcd_hung_get_forbidden": (Unauthorized, reasons.READ_DENIED),
    "auth_anonymous": (Unauthorized, reasons.READ_DENIED),
    "impersonate_target_not_allowed": (Unauthorized, reasons.READ_DENIED),
    "impersonate_forbidden": (Unauthorized, reasons.READ_DENIED),
    "impersonate_user_not_allowed": (UpstreamError, reasons.IMPERSONATION_DENIED),
    "auth_garbage": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_expired": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_wrong_audience": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_wrong_issuer": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_service_account_deleted": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_cert_expired": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_cert_foreign": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "shutdown_default_get_new": (StoreUnavailable, reasons.FAILING),
    "etcd_hung_get": (StoreUnavailable, reasons.FAILING),
    "etcd_down_get": (StoreUnavailable, reasons.FAILING),
    "get_rv_future": (StoreUnavailable, reasons.FAILING),
    "get_rv_garbage": (CallFailed, reasons.FAILING),
    "accept_xml": (UpstreamError, reasons.REQUEST_REFUSED),
    "head_secret": (UpstreamError, reasons.WRONG_ADDRESS),
    "path_name_bad_percent": (UpstreamError, reasons.WRONG_ADDRESS),
    "path_wrong_version": (UpstreamError, reasons.WRONG_ADDRESS),
    "path_traversal_admin": (UpstreamError, reasons.WRONG_ADDRESS),
    "accept_protobuf_not_found": (UpstreamError, reasons.WRONG_ADDRESS),
}


def answer(name: str) -> Answer:
    result = recorded_result(name)
    headers, body = result.encoded()
    return Answer.read(result.status, headers, body)


@pytest.mark.parametrize(("name", "expected"), ROWS.items(), ids=ROWS)
def test_a_recorded_refusal_is_this_error(
    name: str, expected: tuple[type[SecretsError], str]
) -> None:
    error = error_for(answer(name))

    assert (type(error), error.reason) == expected


def test_the_servers_own_id_of_the_call_is_passed_on() -> None:
    error = error_for(answer("get_not_found"))

    assert error.upstream_request_id == "7791e704-09a7-46ca-bc68-f20e7bf759ea"


@pytest.mark.parametrize("name", ROWS)
def test_no_refusal_repeats_the_servers_words(name: str) -> None:
    body = recorded_result(name).body
    message = body.get("message") if isinstance(body, dict) else None

    error = error_for(answer(name))

    assert not message or message not in f"{error!r} {error.advice} {vars(error)}"


@pytest.mark.parametrize(
    ("status_code", "body", "reason"),
    [
        (301, b"", reasons.WRONG_ADDRESS),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", reasons.WRONG_ADDRESS),
        (403, b"<html>a proxy says no</html>", reasons.WRONG_ADDRESS),
        (404, b"404 page not found", reasons.WRONG_ADDRESS),
        (502, b"", reasons.FAILING),
        (504, b"", reasons.FAILING),
        (418, b"[]", reasons.WRONG_ADDRESS),
    ],
)
def test_what_no_api_server_wrote_is_told_apart(status_code: int, body: bytes, reason: str) -> None:
    assert error_for(Answer.read(status_code, {}, body)).reason == reason


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "\u0661", "99999999"])
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    assert Answer.read(429, {"retry-after": text}, b"").retry_after is None


def test_what_may_be_logged_holds_no_message() -> None:
    result = status(403, "Forbidden", "secrets")
    headers, body = result.encoded()

    assert MESSAGE not in str(Answer.read(403, headers, body).log_fields())


def test_a_reason_of_another_shape_is_not_logged() -> None:
    fields = Answer.read(400, {}, b'{"status":"Failure","reason":"a canary value"}').log_fields()

    assert fields["status_reason"] is None


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
    with refused(UpstreamError, "kubernetes_value_not_text"):
        secret("get_ok_kinds").value("binary", "utf-8")


def test_a_null_value_is_an_empty_one() -> None:
    assert made(key=None).value("key", None).reveal() == ""
    key = next(iter(recording("get_data_null_value")["response"]["body"]["data"]))
    assert secret("get_data_null_value").value(key, None).reveal() == ""


@pytest.mark.parametrize("name", ["get_ok_nothing", "get_ok_plain"])
def test_an_absent_key_is_not_found(name: str) -> None:
    with refused(SecretNotFound, "kubernetes_key_not_found"):
        secret(name).value("absent", None)


def test_all_values_are_one_json_object() -> None:
    assert json.loads(str(made(a="MQ==", b="w6Q=").value(None, None).reveal())) == {
        "a": "1",
        "b": "ä",
    }
    assert secret("get_ok_nothing").value(None, None).reveal() == "{}"
    assert made(a="MQ==").value(None, "binary").reveal() == b'{"a":"1"}'


def test_a_binary_value_cannot_be_among_all() -> None:
    with refused(InvalidRequest, "kubernetes_values_not_text"):
        secret("get_ok_kinds").value(None, None)


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
