"""Every recorded refusal, by status and reason."""

from __future__ import annotations

import pytest

from adapters.kubernetes import reasons
from adapters.kubernetes.answer import Answer, error_for
from domain.model.errors import (
    CallFailed,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from tests.support.kubernetes_model import MESSAGE, status
from tests.support.kubernetes_server import recorded_result

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
    "throttled_reject": (RateLimited, reasons.RATE_LIMITED),
    "throttled_queue_full": (RateLimited, reasons.RATE_LIMITED),
    "throttled_queue_timeout": (RateLimited, reasons.RATE_LIMITED),
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


@pytest.mark.parametrize("name", ["throttled_reject", "shutdown_default_get_new"])
def test_the_time_to_come_back_is_passed_on(name: str) -> None:
    assert error_for(answer(name)).retry_after == 1


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
