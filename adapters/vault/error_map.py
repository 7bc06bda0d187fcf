"""What each answer to a read that is no success means to the core.

Errors have no code, only words, and the words differ between servers: the status decides, the words
only separate what nothing else separates, and none of them is passed on. Measured on
OpenBao 2.6.2.

| answer | error | reason |
|---|---|---|
| 404 with metadata | SecretNotFound | version_deleted, version_destroyed |
| 404 `{"errors":[]}`: missing, trimmed, never was | SecretNotFound | secret_not_found |
| 404 "no handler for route" | UpstreamError | mount_not_found |
| 404 "namespace not found" | UpstreamError | namespace_not_found |
| 403 "1 error occurred", "preflight …": the token lacks the right | Unauthorized | read_denied |
| any other 403, after a new login: the token does not count | UpstreamError | token_refused |
| 400 "Upgrading from non-versioned …", about this mount alone | CallFailed | mount_upgrading |
| 400 without a body: unprintable characters | InvalidRequest | key_characters |
| 307 without a body: to the active node | StoreUnavailable | no_active_node |
| 500 "error performing token check" | UpstreamError | token_damaged |
| 500 "… active cluster node not found" | StoreUnavailable | no_active_node |
| 503 "Vault is sealed" | StoreUnavailable | store_sealed |
| 503 "… namespace has been locked …" | UpstreamError | namespace_locked |
| 500, about this request (recorded: paths with a slash at the end) | CallFailed | store_failing |
| 412, other 5xx | StoreUnavailable | store_failing |
| anything else | UpstreamError | request_refused |

Rate limits, and answers that are not Vault's, such as a redirect with a body to a cleaned path, are
`adapters.upstream`'s matter. A mount or a namespace that does not exist is the operator's mistake,
since only allowed ones get this far; the caller can do nothing about it, so it is no
SecretNotFound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.vault import reasons
from adapters.vault.values import gone
from adapters.vault.wire import (
    BAD_REQUEST,
    FORBIDDEN,
    PRECONDITION,
    REDIRECT,
    SERVER_ERROR,
    UNAVAILABLE,
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
    from adapters.vault.wire import Answer
    from domain.model.errors import SecretsError


def lacks_right(answer: Answer) -> bool:
    """Say whether a 403 speaks of the token's rights; any other speaks of the token itself."""
    return answer.status == FORBIDDEN and (
        answer.texts.startswith(("1 error occurred", "preflight capability check"))
    )


def doubts_token(answer: Answer) -> bool:
    """Say whether another token may help."""
    if answer.inline_failed:
        return False
    return answer.status == FORBIDDEN and not lacks_right(answer)


def is_upgrading(answer: Answer) -> bool:
    """Say whether the mount is being turned from version 1 into version 2."""
    return answer.status == BAD_REQUEST and answer.texts.startswith("Upgrading from non-versioned")


def leads_to_active_node(answer: Answer) -> bool:
    """Say whether a standby node sends the call to the active one; other redirects have a body."""
    return answer.status == REDIRECT and answer.is_empty


def lacks_active_node(answer: Answer) -> bool:
    """Say whether the cluster is electing its active node, which takes some seconds."""
    words = answer.texts
    return leads_to_active_node(answer) or (
        answer.status == SERVER_ERROR and ("node not found" in words or "node not active" in words)
    )


def is_transient(answer: Answer) -> bool:
    """Say whether the same call may succeed in a moment; a rate limit is not waited out here."""
    if answer.status == SERVER_ERROR and "performing token check" in answer.texts:
        return False
    if answer.status == UNAVAILABLE and "has been locked" in answer.texts:
        return False
    return (
        answer.status >= SERVER_ERROR
        or answer.status == PRECONDITION
        or leads_to_active_node(answer)
        or is_upgrading(answer)
    )


def error_for(answer: Answer) -> SecretsError:
    """Return the error for an answer to a read that is no success."""
    error: SecretsError
    match answer.status:
        case 404:
            error = _not_found(answer)
        case 403:
            error = _denied(answer)
        case 400:
            error = _bad_request(answer)
        case _ if is_transient(answer):
            error = unavailable(answer)
            if answer.status == SERVER_ERROR and error.reason == reasons.FAILING:
                # About this request: Vault itself answers, and others may be served.
                error = CallFailed(error.advice, reason=error.reason)
        case 500:
            error = UpstreamError(
                "Vault cannot read this backend's token, so it is damaged; write the token again.",
                reason=reasons.TOKEN_DAMAGED,
            )
        case 503:
            error = UpstreamError(
                "An administrator has locked the namespace in Vault; unlock it there.",
                reason=reasons.NAMESPACE_LOCKED,
            )
        case _:
            error = refused(answer)
    return error


def refused(answer: Answer) -> UpstreamError:
    """Return the error for an answer that no call of this backend should get."""
    if not answer.is_api:
        return UpstreamError(
            "What answers at VAULT_ADDR does not speak as Vault does; check the address, its "
            "scheme (http or https), and any proxy on the way.",
            reason=reasons.WRONG_ADDRESS,
        )
    return UpstreamError(
        "Vault refused the call; its audit log and this backend's log have it.",
        reason=reasons.REQUEST_REFUSED,
        upstream_request_id=answer.request_id,
    )


def unavailable(answer: Answer) -> StoreUnavailable:
    """Return the error for an answer that says that Vault cannot answer just now."""
    words = answer.texts
    if answer.status == UNAVAILABLE and "sealed" in words:
        return StoreUnavailable(
            "Unseal Vault: it answers nothing until then.", reason=reasons.SEALED
        )
    if lacks_active_node(answer) or answer.status == REDIRECT:
        return StoreUnavailable(
            "This node of Vault has no active node to ask; wait for the election, or check the "
            "cluster's quorum.",
            reason=reasons.NO_ACTIVE_NODE,
        )
    return StoreUnavailable(
        "Vault is failing; check its health and its log, and try again in 10 seconds.",
        reason=reasons.FAILING,
    )


def _bad_request(answer: Answer) -> SecretsError:
    if is_upgrading(answer):
        return CallFailed(
            "The mount is being upgraded to versioned secrets; try again in some seconds.",
            reason=reasons.UPGRADING,
        )
    if answer.is_empty:
        return InvalidRequest(
            "Vault refuses a character of the key; write it with printable characters only.",
            reason=reasons.KEY_REFUSED,
        )
    return refused(answer)


def _not_found(answer: Answer) -> SecretsError:
    words = answer.texts
    if "no handler for route" in words:
        return UpstreamError(
            "Vault has no secrets engine mounted there; check VAULT_MOUNT, or the mount that the "
            "policy chooses.",
            reason=reasons.MOUNT_NOT_FOUND,
        )
    if "namespace not found" in words:
        return UpstreamError(
            "Vault does not know the namespace; check VAULT_NAMESPACE, or the namespace that the "
            "policy chooses. Namespaces are case-sensitive.",
            reason=reasons.NAMESPACE_NOT_FOUND,
        )
    if isinstance(answer.member("data", "metadata"), dict):
        return gone(answer)
    return SecretNotFound(
        "Vault has no such secret, or not in that version; check the key's spelling and case.",
        upstream_request_id=answer.request_id,
    )


def _denied(answer: Answer) -> SecretsError:
    if lacks_right(answer):
        return Unauthorized(
            "Vault does not let this login read the secret, or its mount does not exist; give its "
            "policy the capability read on the path.",
            reason=reasons.READ_DENIED,
            upstream_request_id=answer.request_id,
        )
    return UpstreamError(
        "Vault does not accept this backend's token; check that it is not revoked, expired or "
        "bound to other addresses (token_bound_cidrs).",
        reason=reasons.TOKEN_REFUSED,
    )
