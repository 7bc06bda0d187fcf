"""Every refusal of Infisical, old and new, as the core's own error."""

from __future__ import annotations

import pytest

from adapters.infisical import reasons
from adapters.infisical.error_map import error_for, refuses_token
from adapters.infisical.protocol import is_api_answer, lacks_route, log_fields, message
from adapters.upstream.message import UpstreamResponse
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from tests.unit.adapters.upstream.http_rig import answer as json_answer


def refusal(status: int, label: str, message: object, **more: object) -> UpstreamResponse:
    document = {"statusCode": status, "error": label, "message": message, **more}
    return json_answer(status, document)


def page(status: int, kind: str = "text/html") -> UpstreamResponse:
    return UpstreamResponse(status, {"content-type": kind}, b"<html>")


NO_ORG_MEMBER = "Identity is not a member of the organization"
INACTIVE = "Identity organization membership is inactive"
OTHER_ORG = "This project does not belong to your selected organization."
NOT_A_MEMBER = "Identity is not a member of the specified project"
SECRET = "Secret with name 'canary' not found"
FOLDER = "Folder with path '/canary' in environment with slug 'dev' not found"
PROJECT = "Project with ID 'canary' not found during bot lookup."

TABLE: list[tuple[UpstreamResponse, type[SecretsError], str]] = [
    (refusal(404, "NotFound", "Secret not found"), SecretNotFound, "secret_not_found"),
    (refusal(404, "NotFound", SECRET, reqId="r"), SecretNotFound, "secret_not_found"),
    (refusal(404, "Create secret", "Folder not found for"), SecretNotFound, "folder"),
    (refusal(404, "GetSecretByName", FOLDER), SecretNotFound, reasons.FOLDER_NOT_FOUND),
    (refusal(404, "NotFound", "Environment with slug 'x'"), SecretNotFound, "folder"),
    (refusal(404, "NotFound", "Project not found during"), UpstreamError, "project"),
    (refusal(404, "NotFound", PROJECT), UpstreamError, reasons.PROJECT_NOT_FOUND),
    (refusal(400, "BadRequest", "Project not found"), UpstreamError, "project"),
    (refusal(404, "NotFound", "Bot not found. Please ask"), UpstreamError, "project"),
    (refusal(401, "UnauthorizedError", "Token missing"), UpstreamError, reasons.TOKEN_REFUSED),
    (refusal(403, "TokenError", "invalid signature"), UpstreamError, reasons.TOKEN_REFUSED),
    (refusal(401, "ValidationFailure", [{}]), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(403, "ValidationFailure", [{}]), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(422, "ValidationFailure", [{}]), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(400, "BadRequest", "Missing environment"), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(403, NOT_A_MEMBER, "You are"), Unauthorized, reasons.NOT_A_MEMBER),
    (refusal(403, "You are not member of this project", "x"), Unauthorized, reasons.NOT_A_MEMBER),
    (refusal(401, "UnauthorizedError", NO_ORG_MEMBER), Unauthorized, reasons.NOT_A_MEMBER),
    (refusal(401, "UnauthorizedError", INACTIVE), Unauthorized, reasons.NOT_A_MEMBER),
    (refusal(403, "ForbiddenError", OTHER_ORG), Unauthorized, reasons.WRONG_ORGANIZATION),
    (refusal(403, OTHER_ORG, "Words."), Unauthorized, reasons.WRONG_ORGANIZATION),
    (refusal(403, "ForbiddenReadSecretError", "You do"), Unauthorized, reasons.VALUE_HIDDEN),
    # The rewrite in Go.
    (refusal(403, "ForbiddenError", "Read value denied"), Unauthorized, reasons.VALUE_HIDDEN),
    (refusal(403, "ForbiddenError", "Permission denied to access this secret"), Unauthorized, ""),
    (refusal(404, "NotFound", "Environment not found"), SecretNotFound, "folder"),
    (refusal(404, "NotFound", "Folder not found"), SecretNotFound, "folder"),
    (refusal(401, "UnauthorizedError", "Invalid JWT token"), UpstreamError, "token_refused"),
    (refusal(400, "ValidationError", "Validation failed"), UpstreamError, "request_refused"),
    (refusal(400, "BadRequest", "The project is of type kms."), UpstreamError, "project_type"),
    (refusal(400, "BadRequest", "Invalid secret path. Only"), InvalidRequest, "folder_name"),
    (refusal(400, "BadRequest", "Invalid folder name"), InvalidRequest, "folder_name"),
    (refusal(403, "ForbiddenError", NOT_A_MEMBER), Unauthorized, reasons.NOT_A_MEMBER),
    (
        refusal(403, "ForbiddenError", "not allowed from the current IP address"),
        UpstreamError,
        reasons.ADDRESS_REFUSED,
    ),
    (refusal(403, "PermissionDenied", "You are not"), Unauthorized, reasons.READ_DENIED),
    (refusal(401, "PermissionDenied", "You are not"), Unauthorized, reasons.READ_DENIED),
    (refusal(403, "ForbiddenError", "You are attempting"), Unauthorized, reasons.READ_DENIED),
    (refusal(409, "Conflict", "Words."), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(418, "x", "Words."), UpstreamError, reasons.REQUEST_REFUSED),
    (refusal(500, "Find one", "Something went wrong"), StoreUnavailable, reasons.FAILING),
    (refusal(500, "InternalServerError", "Something went wrong"), CallFailed, reasons.FAILING),
    (refusal(503, "InternalServerError", "Words."), StoreUnavailable, reasons.FAILING),
    (page(500), StoreUnavailable, reasons.FAILING),
    (page(502), StoreUnavailable, reasons.FAILING),
    (refusal(504, "GatewayTimeoutError", "Words."), StoreUnavailable, reasons.FAILING),
]


@pytest.mark.parametrize(("answer", "kind", "reason"), TABLE)
def test_each_refusal_has_its_error(
    answer: UpstreamResponse, kind: type[SecretsError], reason: str
) -> None:
    error = error_for(answer)

    assert type(error) is kind
    assert reason in error.reason


@pytest.mark.parametrize(("answer", "_kind", "_reason"), TABLE)
def test_the_upstream_s_own_words_are_not_passed_on(
    answer: UpstreamResponse, _kind: type[SecretsError], _reason: str
) -> None:
    error = error_for(answer)

    assert "canary" not in str(error)
    assert not message(answer) or message(answer) not in str(error)
    assert error.advice[0].isupper()
    assert error.advice.endswith(".")


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (refusal(401, "UnauthorizedError", "No identity access token found"), True),
        (refusal(403, "TokenError", "Your token has expired."), True),
        (refusal(401, "TokenError", ""), True),
        (refusal(401, "UnauthorizedError", "Invalid JWT token"), True),
        (refusal(401, "UnauthorizedError", NO_ORG_MEMBER), False),
        (refusal(401, "UnauthorizedError", INACTIVE), False),
        (refusal(401, "UnauthorizedError", "… from the current IP address"), False),
        (refusal(403, "UnauthorizedError", ""), True),
        (refusal(401, "ValidationFailure", []), False),
        (refusal(403, "PermissionDenied", ""), False),
        (refusal(403, NOT_A_MEMBER, ""), False),
        (refusal(404, "TokenError", ""), False),
        (refusal(500, "UnauthorizedError", ""), False),
        (page(401), False),
    ],
)
def test_only_a_refused_token_is_a_reason_to_log_in_again(
    answer: UpstreamResponse, refused: bool
) -> None:
    assert refuses_token(answer) is refused


def test_a_missing_secret_does_not_look_like_a_missing_route() -> None:
    assert not lacks_route(refusal(404, "NotFound", "Secret not found"))
    assert not lacks_route(page(502))


@pytest.mark.parametrize(
    "foreign",
    [
        page(200),
        page(302),
        page(401),
        page(403),
        page(404),
        page(404, "text/plain"),
        json_answer(404),
        json_answer(200, {"status": "ok"}),
        json_answer(200, []),
        json_answer(403, {"message": "Forbidden"}),
        json_answer(404, {"message": "no Route matched", "request_id": "1"}),
        refusal(308, "x", "y"),
    ],
)
def test_what_is_not_the_apis_has_no_route(foreign: UpstreamResponse) -> None:
    assert lacks_route(foreign)
    assert not is_api_answer(foreign)


def test_the_router_is_the_apis_though_it_lacks_the_route() -> None:
    router = refusal(404, "Not Found", "Route GET:/api not found")

    assert lacks_route(router)
    assert is_api_answer(router)


@pytest.mark.parametrize("request_id", ["req-Ab_9", None, "x" * 65, "a b", "a\nb", 7])
def test_a_request_id_is_kept_when_it_is_safe_to_show(request_id: object) -> None:
    error = error_for(refusal(500, "x", "y", reqId=request_id))

    assert error.upstream_request_id == ("req-Ab_9" if request_id == "req-Ab_9" else None)


def test_only_a_harmless_label_is_logged() -> None:
    assert log_fields(refusal(404, "Create secret", ""))["error_label"] == "Create secret"
    assert log_fields(refusal(404, "Secret x=1", ""))["error_label"] is None
    assert log_fields(refusal(404, "y" * 65, ""))["error_label"] is None
