"""What each refusal of Infisical means to the core.

Its `error` is free text, its statuses moved between versions and its messages carry names, so the
three are read together and none is passed on:

| answer | error | reason |
|---|---|---|
| 400 or 404, message "Project …" or "Bot …" | UpstreamError | project_not_found |
| 404, message "Folder …" or "Environment …", or label "Create secret" | SecretNotFound | folder_not_found |
| any other 404: also what lies outside the identity's scope | SecretNotFound | secret_not_found |
| 401 or 403 with label UnauthorizedError or TokenError, after a new login | UpstreamError | token_refused |
| 400, 401, 403 or 422 with label ValidationFailure or BadRequest | UpstreamError | request_refused |
| 401 or 403, label or message "… not (a) member …" | Unauthorized | not_a_member |
| 403, label or message "… does not belong to your selected organization" | Unauthorized | wrong_organization |
| 403, label ForbiddenReadSecretError | Unauthorized | value_hidden |
| 400, message "The project is of type …" | UpstreamError | project_type |
| 400, message "Invalid secret path…" or "Invalid folder name…" | InvalidRequest | folder_name_invalid |
| 401 or 403 with any other label: PermissionDenied, ForbiddenError | Unauthorized | read_denied |
| 401 or 403, message "… from the current IP address" | UpstreamError | address_refused |
| 5xx | StoreUnavailable | failing |
| anything else, a 401 or 403 that is no JSON included | UpstreamError | request_refused |

A project that does not exist is the operator's mistake, since only allowed ones get this far; a
caller can do nothing about it, so it is no SecretNotFound. Rate limits, and answers that are not
Infisical's, are `adapters.upstream`'s matter.
"""  # noqa: E501  rows of a table

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.infisical import reasons
from adapters.infisical.protocol import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    SERVER_ERRORS,
    UNAUTHORIZED,
    label,
    message,
    request_id,
)
from domain.model.errors import (
    InvalidRequest,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse
    from domain.model.errors import SecretsError

_DENIALS = frozenset({UNAUTHORIZED, FORBIDDEN})
_TOKEN_LABELS = frozenset({"UnauthorizedError", "TokenError"})
_REQUEST_LABELS = frozenset({"ValidationFailure", "BadRequest"})
_CURRENT_ADDRESS = "from the current IP address"
_OTHER_ORGANIZATION = "does not belong to your selected organization"
_NO_VALUE = "ForbiddenReadSecretError"
_MEMBERSHIP = re.compile(r"\bnot (?:a )?member\b")
_FOLDER_NAME = re.compile(r"Invalid (?:secret path|folder name)")


def _mentions(answer: UpstreamResponse, words: str) -> bool:
    # Servers have moved such words from the label to the message.
    return words in label(answer) or words in message(answer)


def _is_stranger(answer: UpstreamResponse) -> bool:
    return bool(_MEMBERSHIP.search(label(answer)) or _MEMBERSHIP.search(message(answer)))


def refuses_token(answer: UpstreamResponse) -> bool:
    """Say whether logging in again may help. No other 401 or 403 is a reason to."""
    if answer.status not in _DENIALS or label(answer) not in _TOKEN_LABELS:
        return False
    return not (_is_stranger(answer) or refuses_address(answer))


def refuses_address(answer: UpstreamResponse) -> bool:
    """Say whether an IP allow list, of a client secret or of a token, refuses this address."""
    return answer.status in _DENIALS and _CURRENT_ADDRESS in message(answer)


def address_refused(answer: UpstreamResponse) -> UpstreamError:
    """Return the error for a call from an address that is not on an allow list."""
    return UpstreamError(
        "Infisical refuses calls from this backend's IP address; add it to the trusted IPs of the "
        "machine identity's client secret and of its access tokens.",
        reason=reasons.ADDRESS_REFUSED,
        upstream_request_id=request_id(answer),
    )


def error_for(answer: UpstreamResponse) -> SecretsError:
    """Return the error for an answer of the API that is no success."""
    upstream_id = request_id(answer)
    if refuses_address(answer):
        return address_refused(answer)
    if answer.status in {BAD_REQUEST, NOT_FOUND} and (error := _misplaced(answer)) is not None:
        return error
    if answer.status in _DENIALS and answer.is_json and label(answer) not in _REQUEST_LABELS:
        return _denied(answer)
    if answer.status >= SERVER_ERRORS:
        return StoreUnavailable(
            "Infisical is failing; check its health, and try again in 10 seconds.",
            reason=reasons.FAILING,
            upstream_request_id=upstream_id,
        )
    return UpstreamError(
        "Infisical, or a proxy before it, refused the call; see the log of this backend.",
        reason=reasons.REQUEST_REFUSED,
        upstream_request_id=upstream_id,
    )


def _misplaced(answer: UpstreamResponse) -> SecretsError | None:
    """Return the error for a 400 or 404 about project, folder or secret."""
    if message(answer).startswith(("Project", "Bot ")):
        return UpstreamError(
            "Infisical does not know the project; check INFISICAL_PROJECT_ID (an id, not a slug) "
            "or the policy's project_id.",
            reason=reasons.PROJECT_NOT_FOUND,
            upstream_request_id=request_id(answer),
        )
    if message(answer).startswith("The project is of type"):
        return UpstreamError(
            "The project is of another type than secret management; check INFISICAL_PROJECT_ID or "
            "the policy's project_id.",
            reason=reasons.PROJECT_TYPE,
            upstream_request_id=request_id(answer),
        )
    if _FOLDER_NAME.match(message(answer)):
        return InvalidRequest(
            "Infisical's folders have letters, digits, dashes and underscores in their names only; "
            "check the path.",
            reason=reasons.FOLDER_NAME_INVALID,
            upstream_request_id=request_id(answer),
        )
    return _not_found(answer) if answer.status == NOT_FOUND else None


def _not_found(answer: UpstreamResponse) -> SecretNotFound:
    no_folder = label(answer) == "Create secret" or message(answer).startswith(
        ("Folder", "Environment")
    )
    if no_folder:
        return SecretNotFound(
            "That folder does not exist in the environment; check the path's spelling and case.",
            reason=reasons.FOLDER_NOT_FOUND,
            upstream_request_id=request_id(answer),
        )
    return SecretNotFound(
        "No such secret, or not in reach of the machine identity; check the key's spelling.",
        upstream_request_id=request_id(answer),
    )


def _denied(answer: UpstreamResponse) -> SecretsError:
    if _mentions(answer, _OTHER_ORGANIZATION):
        return Unauthorized(
            "The project belongs to another organization than the login was for; set "
            "INFISICAL_ORGANIZATION_SLUG, or check INFISICAL_PROJECT_ID.",
            reason=reasons.WRONG_ORGANIZATION,
            upstream_request_id=request_id(answer),
        )
    if label(answer) == _NO_VALUE:
        return Unauthorized(
            "The machine identity may describe the secret, or what it refers to, but not read its "
            "value; give it the right to read values.",
            reason=reasons.VALUE_HIDDEN,
            upstream_request_id=request_id(answer),
        )
    is_stranger = _is_stranger(answer)
    if label(answer) in _TOKEN_LABELS and not is_stranger:
        return UpstreamError(
            "Infisical refuses even a fresh token; check the machine identity's token limits.",
            reason=reasons.TOKEN_REFUSED,
            upstream_request_id=request_id(answer),
        )
    return Unauthorized(
        "Infisical denies the machine identity this secret; let the identity read it.",
        reason=reasons.NOT_A_MEMBER if is_stranger else reasons.READ_DENIED,
        upstream_request_id=request_id(answer),
    )
