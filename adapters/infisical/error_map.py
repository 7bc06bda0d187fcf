"""What each refusal of Infisical means to the core.

Its `error` is free text, its statuses moved between versions and its messages carry names, so the
three are read together and none is passed on. A 404 may also be what lies outside the identity's
scope. A project that does not exist is the operator's mistake, since only allowed ones get this
far; a caller can do nothing about it, so it is no SecretNotFound. Rate limits, and answers that are
not Infisical's, are `adapters.upstream`'s matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

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
    CallFailed,
    InvalidRequest,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.upstream.message import UpstreamResponse
    from domain.model.errors import SecretsError

_DENIALS = frozenset({UNAUTHORIZED, FORBIDDEN})
_TOKEN_LABELS = frozenset({"UnauthorizedError", "TokenError"})
_REQUEST_LABELS = frozenset({"ValidationFailure", "BadRequest"})
_CURRENT_ADDRESS = "from the current IP address"
_OTHER_ORGANIZATION = "does not belong to your selected organization"
_OWN_ERROR = "InternalServerError"
"""Of a 500 about one secret, such as one that cannot be decrypted. Where the database is down, the
label names what was asked of the database (recorded: "Find one")."""
_NO_VALUE = ("ForbiddenReadSecretError", "Read value denied")
"""The label of today's servers, and the message of the rewrite in Go (read in its code)."""
_MEMBERSHIP = re.compile(r"\bnot (?:a )?member\b|\bmembership is inactive\b")
_FOLDER_NAME = re.compile(r"Invalid (?:secret path|folder name)")
_NO_FOLDER = ("Folder", "Environment")


class _Meaning(NamedTuple):
    kind: type[SecretsError]
    advice: str


_DENIED = "Infisical denies the machine identity this secret; let the identity read it."
_ERRORS: Final[Mapping[str, _Meaning]] = {
    reasons.ADDRESS_REFUSED: _Meaning(
        UpstreamError,
        "Infisical refuses calls from this backend's IP address; add it to the trusted IPs of the "
        "machine identity's client secret and of its access tokens.",
    ),
    reasons.ANSWER_UNREADABLE: _Meaning(
        UpstreamError,
        "Infisical's answer is not what was asked for; check the versions of both sides.",
    ),
    reasons.FAILING: _Meaning(
        StoreUnavailable, "Infisical is failing; check its health, and try again in 10 seconds."
    ),
    reasons.FOLDER_NAME_INVALID: _Meaning(
        InvalidRequest,
        "Infisical's folders have letters, digits, dashes and underscores in their names only; "
        "check the path.",
    ),
    reasons.FOLDER_NOT_FOUND: _Meaning(
        SecretNotFound,
        "That folder does not exist in the environment; check the path's spelling and case.",
    ),
    reasons.NOT_A_MEMBER: _Meaning(Unauthorized, _DENIED),
    reasons.PROJECT_NOT_FOUND: _Meaning(
        UpstreamError,
        "Infisical does not know the project; check INFISICAL_PROJECT_ID (an id, not a slug) "
        "or the policy's project_id.",
    ),
    reasons.PROJECT_TYPE: _Meaning(
        UpstreamError,
        "The project is of another type than secret management; check INFISICAL_PROJECT_ID or "
        "the policy's project_id.",
    ),
    reasons.READ_DENIED: _Meaning(Unauthorized, _DENIED),
    reasons.REQUEST_REFUSED: _Meaning(
        UpstreamError,
        "Infisical, or a proxy before it, refused the call; see the log of this backend.",
    ),
    reasons.TOKEN_REFUSED: _Meaning(
        UpstreamError,
        "Infisical refuses even a fresh token; check the machine identity's token limits.",
    ),
    reasons.VALUE_HIDDEN: _Meaning(
        Unauthorized,
        "The machine identity may describe the secret, or what it refers to, but not read its "
        "value; give it the right to read values.",
    ),
    reasons.VERSION_IGNORED: _Meaning(
        SecretNotFound,
        "This Infisical server seems to serve the latest version alone, as those before April 2025 "
        "and the rewrite in Go do; ask for the latest.",
    ),
    reasons.WRONG_ORGANIZATION: _Meaning(
        Unauthorized,
        "The project belongs to another organization than the login was for; set "
        "INFISICAL_ORGANIZATION_SLUG, or check INFISICAL_PROJECT_ID.",
    ),
    SecretNotFound.default_reason: _Meaning(
        SecretNotFound,
        "No such secret, or not in reach of the machine identity; check the key's spelling.",
    ),
}


def refusal(reason: str, answer: UpstreamResponse) -> SecretsError:
    """Return the error that a reason of this adapter stands for."""
    kind, advice = _ERRORS[reason]
    return kind(advice, reason=reason, upstream_request_id=request_id(answer))


def error_for(answer: UpstreamResponse) -> SecretsError:
    """Return the error for an answer of the API that is no success."""
    error = refusal(_reason_of(answer), answer)
    if answer.status == SERVER_ERRORS and label(answer) == _OWN_ERROR:
        return CallFailed(
            error.advice, reason=error.reason, upstream_request_id=error.upstream_request_id
        )
    return error


def refuses_token(answer: UpstreamResponse) -> bool:
    """Say whether logging in again may help. No other 401 or 403 is a reason to."""
    if answer.status not in _DENIALS or label(answer) not in _TOKEN_LABELS:
        return False
    return not (_is_stranger(answer) or refuses_address(answer))


def refuses_address(answer: UpstreamResponse) -> bool:
    """Say whether an IP allow list, of a client secret or of a token, refuses this address."""
    return answer.status in _DENIALS and _CURRENT_ADDRESS in message(answer)


def _reason_of(answer: UpstreamResponse) -> str:
    if refuses_address(answer):
        return reasons.ADDRESS_REFUSED
    if answer.status in {BAD_REQUEST, NOT_FOUND} and (reason := _misplaced(answer)) is not None:
        return reason
    if answer.status in _DENIALS and answer.is_json and label(answer) not in _REQUEST_LABELS:
        return _denied(answer)
    return reasons.FAILING if answer.status >= SERVER_ERRORS else reasons.REQUEST_REFUSED


def _misplaced(answer: UpstreamResponse) -> str | None:
    """Return the reason of a 400 or 404 about project, folder or secret."""
    words = message(answer)
    if words.startswith("The project is of type"):
        return reasons.PROJECT_TYPE
    if words.startswith(("Project", "Bot ")):
        return reasons.PROJECT_NOT_FOUND
    if _FOLDER_NAME.match(words):
        return reasons.FOLDER_NAME_INVALID
    if answer.status != NOT_FOUND:
        return None
    no_folder = label(answer) == "Create secret" or words.startswith(_NO_FOLDER)
    return reasons.FOLDER_NOT_FOUND if no_folder else SecretNotFound.default_reason


def _denied(answer: UpstreamResponse) -> str:
    # Servers have moved such words from the label to the message.
    if _OTHER_ORGANIZATION in label(answer) or _OTHER_ORGANIZATION in message(answer):
        return reasons.WRONG_ORGANIZATION
    if label(answer) in _NO_VALUE or message(answer) in _NO_VALUE:
        return reasons.VALUE_HIDDEN
    if _is_stranger(answer):
        return reasons.NOT_A_MEMBER
    return reasons.TOKEN_REFUSED if label(answer) in _TOKEN_LABELS else reasons.READ_DENIED


def _is_stranger(answer: UpstreamResponse) -> bool:
    return bool(_MEMBERSHIP.search(label(answer)) or _MEMBERSHIP.search(message(answer)))
