"""What each refusal of the API server means to the core, by its status and `reason` alone.

Its messages name accounts, namespaces and addresses, so none is passed on:

| answer | error | reason |
|---|---|---|
| 404 `NotFound` about `secrets`, or no such namespace | SecretNotFound | secret_not_found |
| any other 404, 3xx, 400 or 200 that no API server wrote | UpstreamError | wrong_address |
| 403 `Forbidden`, also for a Secret that does not exist | Unauthorized | read_denied |
| 403 `Forbidden` about `users` or `serviceaccounts` | UpstreamError | impersonation_denied |
| 401, after the credentials were read again | UpstreamError | credentials_refused |
| 429 | RateLimited | rate_limited |
| 500: an error of its own, such as a Secret that cannot be decrypted | CallFailed | failing |
| other 5xx | StoreUnavailable | failing |
| anything else | UpstreamError | request_refused |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.kubernetes import reasons
from domain.model.errors import (
    CallFailed,
    RateLimited,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)

if TYPE_CHECKING:
    from adapters.kubernetes.answer import Answer
    from domain.model.errors import SecretsError

OK: Final = 200
CREATED: Final = 201
REDIRECTS: Final = range(300, 400)
BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
GONE: Final = 410
TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
SERVER_ERRORS: Final = 500

_IMPERSONATED = frozenset({"users", "serviceaccounts", "groups", "uids", "userextras"})


def error_for(answer: Answer) -> SecretsError:
    """Return the error for an answer that is not the Secret asked for."""
    status, request_id = answer.status, answer.request_id
    if status == TOO_MANY_REQUESTS or status >= SERVER_ERRORS:
        return _unavailable(answer)
    if status == UNAUTHORIZED:
        return UpstreamError(
            "The Kubernetes API server refuses this backend's credentials; check that they are of "
            "this cluster, not expired, and that the service account exists.",
            reason=reasons.CREDENTIALS_REFUSED,
            upstream_request_id=request_id,
        )
    if status == NOT_FOUND and answer.is_status and answer.refused_kind == "secrets":
        return SecretNotFound(
            "No such Secret in that namespace; check the spelling of both.",
            upstream_request_id=request_id,
        )
    if status == FORBIDDEN and answer.reason == "Forbidden":
        return _denied(answer)
    if status in REDIRECTS or status == NOT_FOUND or not answer.is_status:
        return wrong_address(request_id)
    return UpstreamError(
        "The Kubernetes API server refused the call; see the log of this backend.",
        reason=reasons.REQUEST_REFUSED,
        upstream_request_id=request_id,
    )


def wrong_address(request_id: str | None = None) -> UpstreamError:
    """Return the error for an answer that no Kubernetes API server gives."""
    return UpstreamError(
        "No Kubernetes API server answers at the configured address; check the URL, https "
        "included, and any proxy before it.",
        reason=reasons.WRONG_ADDRESS,
        upstream_request_id=request_id,
    )


def _unavailable(answer: Answer) -> SecretsError:
    if answer.status == TOO_MANY_REQUESTS:
        return RateLimited(
            "The Kubernetes API server is throttling this backend; try again in a few seconds. If "
            "it happens often, give it a priority level of its own.",
            reason=reasons.RATE_LIMITED,
            upstream_request_id=answer.request_id,
            retry_after=answer.retry_after,
        )
    kind = CallFailed if answer.status == SERVER_ERRORS else StoreUnavailable
    return kind(
        "The Kubernetes API server, or etcd behind it, is failing; check their health, and try "
        "again in 10 seconds.",
        reason=reasons.FAILING,
        upstream_request_id=answer.request_id,
        retry_after=answer.retry_after,
    )


def _denied(answer: Answer) -> SecretsError:
    if answer.refused_kind in _IMPERSONATED:
        return UpstreamError(
            "This backend may not impersonate that user; the check command of this backend prints "
            "the ClusterRole it needs.",
            reason=reasons.IMPERSONATION_DENIED,
            upstream_request_id=answer.request_id,
        )
    return Unauthorized(
        "RBAC denies this backend that Secret; the check command of this backend prints the Role "
        "it needs.",
        reason=reasons.READ_DENIED,
        upstream_request_id=answer.request_id,
    )
