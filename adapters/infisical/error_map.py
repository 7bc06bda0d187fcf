"""What each refusal of Infisical means to the core.

Its `error` is free text, its statuses moved between versions and its messages carry names, so the
three are read together and none is passed on:

| answer | error | reason |
|---|---|---|
| 404 of the router, no JSON, a redirect | UpstreamError | wrong_address |
| 400 or 404, message "Project …" or "Bot …" | UpstreamError | project_not_found |
| 404, message "Folder …" or "Environment …", or label "Create secret" | SecretNotFound | folder_not_found |
| any other 404: also what lies outside the identity's scope | SecretNotFound | secret_not_found |
| 401 or 403 with label UnauthorizedError or TokenError, after a new login | UpstreamError | token_refused |
| 400, 401, 403 or 422 with label ValidationFailure or BadRequest | UpstreamError | request_refused |
| 401 or 403, label or message "… not a member …" | Unauthorized | not_a_member |
| 401 or 403 with any other label: PermissionDenied, ForbiddenError | Unauthorized | read_denied |
| 5xx | UpstreamError | failing |
| anything else, a 401 or 403 that is no JSON included | UpstreamError | request_refused |

A project that does not exist is the operator's mistake, since only allowed ones get this far; a
caller can do nothing about it, so it is no SecretNotFound. Rate limits are `rate_limit`'s matter.
"""  # noqa: E501  rows of a table

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.infisical import reasons
from domain.model.errors import SecretNotFound, StoreUnavailable, Unauthorized, UpstreamError

if TYPE_CHECKING:
    from adapters.infisical.exchange import Answer
    from domain.model.errors import SecretsError

OK, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 200, 400, 401, 403, 404, 405
SERVER_ERRORS = 500

_DENIALS = frozenset({UNAUTHORIZED, FORBIDDEN})
_TOKEN_LABELS = frozenset({"UnauthorizedError", "TokenError"})
_REQUEST_LABELS = frozenset({"ValidationFailure", "BadRequest"})


def refuses_token(answer: Answer) -> bool:
    """Say whether logging in again may help. No other 401 or 403 is a reason to."""
    return answer.status in _DENIALS and answer.label in _TOKEN_LABELS


def lacks_route(answer: Answer) -> bool:
    """Say whether something answered that does not know the route.

    That is the server's router, which quotes the route; or a web page or proxy, which speaks no
    JSON or none with the API's members, or redirects.
    """
    if 300 <= answer.status < BAD_REQUEST:  # noqa: PLR2004  the class of redirects
        return True
    if not answer.is_json:
        return answer.status in {OK, NOT_FOUND, NOT_ALLOWED}
    if answer.status not in {NOT_FOUND, NOT_ALLOWED}:
        return False
    from_router = answer.label == "Not Found" and answer.message.startswith("Route ")
    return from_router or not (answer.label and answer.message)


def error_for(answer: Answer) -> SecretsError:
    """Return the error for an answer that is no success."""
    request_id = answer.request_id
    if lacks_route(answer):
        return UpstreamError(
            "No Infisical API answers at INFISICAL_BASE_URL; set it to the instance's address.",
            reason=reasons.WRONG_ADDRESS,
            upstream_request_id=request_id,
        )
    if answer.status in {BAD_REQUEST, NOT_FOUND} and answer.message.startswith(("Project", "Bot ")):
        return UpstreamError(
            "Infisical does not know the project; check INFISICAL_PROJECT_ID (an id, not a slug) "
            "or the policy's project_id.",
            reason=reasons.PROJECT_NOT_FOUND,
            upstream_request_id=request_id,
        )
    if answer.status == NOT_FOUND:
        return _not_found(answer)
    if answer.status in _DENIALS and answer.is_json and answer.label not in _REQUEST_LABELS:
        return _denied(answer)
    if answer.status >= SERVER_ERRORS:
        return StoreUnavailable(
            "Infisical is failing; check its health, and try again in 10 seconds.",
            reason=reasons.FAILING,
            upstream_request_id=request_id,
        )
    return UpstreamError(
        "Infisical, or a proxy before it, refused the call; see the log of this backend.",
        reason=reasons.REQUEST_REFUSED,
        upstream_request_id=request_id,
    )


def _not_found(answer: Answer) -> SecretNotFound:
    no_folder = answer.label == "Create secret" or answer.message.startswith(
        ("Folder", "Environment")
    )
    if no_folder:
        return SecretNotFound(
            "That folder does not exist in the environment; check the path's spelling and case.",
            reason=reasons.FOLDER_NOT_FOUND,
            upstream_request_id=answer.request_id,
        )
    return SecretNotFound(
        "No such secret, or not in reach of the machine identity; check the key's spelling.",
        upstream_request_id=answer.request_id,
    )


def _denied(answer: Answer) -> SecretsError:
    if answer.label in _TOKEN_LABELS:
        return UpstreamError(
            "Infisical refuses even a fresh token; check the machine identity's token limits.",
            reason=reasons.TOKEN_REFUSED,
            upstream_request_id=answer.request_id,
        )
    member = "not a member" in answer.label or "not a member" in answer.message
    return Unauthorized(
        "Infisical denies the machine identity this secret; let the identity read it.",
        reason=reasons.NOT_A_MEMBER if member else reasons.READ_DENIED,
        upstream_request_id=answer.request_id,
    )
