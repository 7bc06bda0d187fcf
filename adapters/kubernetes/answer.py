"""What the API server said, read leniently, and what each refusal means to the core.

Its Content-Type does not always tell the truth: a refusal is a Status object, but 429 and the
health paths are plain text, a 504 is JSON that calls itself text and has no `kind`, and some
failures have no body at all. By status and `reason` alone, since its messages name accounts,
namespaces and addresses, so that none is passed on:

| answer | error | reason |
|---|---|---|
| 404 `NotFound` about `secrets`, or no such namespace | SecretNotFound | secret_not_found |
| any other 404, 3xx, 400 or 200 that no API server wrote | UpstreamError | wrong_address |
| 403 `Forbidden`, also for a Secret that does not exist | Unauthorized | read_denied |
| 403 `Forbidden` about `users` or `serviceaccounts` | UpstreamError | impersonation_denied |
| 401, after the credentials were read again | UpstreamError | credentials_refused |
| 500: an error of its own, such as a Secret that cannot be decrypted | CallFailed | failing |
| other 5xx | StoreUnavailable | failing |
| anything else | UpstreamError | request_refused |

Rate limits are `adapters.upstream`'s matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from adapters.kubernetes import reasons
from adapters.upstream.json_members import member_of
from adapters.upstream.message import UpstreamResponse
from domain.model.errors import (
    CallFailed,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from domain.model.opaque import opaque
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.errors import SecretsError


_SAFE_REASON = re.compile(r"[A-Za-z]{1,64}", re.ASCII)
_MAX_RETRY_AFTER = 3600

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


@opaque
class Answer:
    """One answer of the API server.

    Attributes:
        document: the members of the body; empty when it is no JSON object.
        request_id: the id under which the server's own audit log has the call.
        retry_after: seconds that a refusal of a watch asks to wait; None where it does not say.
    """

    status: int
    document: Mapping[str, object]
    request_id: str | None = None
    retry_after: float | None = None

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Read an answer whose header names are in lower case."""
        return cls(
            status,
            read_object(body),
            UpstreamResponse.safe_id(headers.get("audit-id")),
            _seconds(headers.get("retry-after", "")),
        )

    @property
    def reason(self) -> str:
        """The Status object's `reason`, such as "NotFound"; "" if there is none."""
        reason = self.document.get("reason")
        return reason if isinstance(reason, str) and _SAFE_REASON.fullmatch(reason) else ""

    @property
    def is_status(self) -> bool:
        """Whether a Kubernetes API server wrote it; a proxy or another service does not."""
        return self.document.get("status") == "Failure" and bool(self.reason)

    @property
    def refused_kind(self) -> str:
        """The kind of object that the refusal is about, such as "secrets" or "users"; "" if none.

        A path that the server does not know is about none.
        """
        kind = member_of(self.document, "details", "kind")
        return kind if isinstance(kind, str) else ""

    def log_fields(self) -> dict[str, str | int | None]:
        """Return what is harmless to log: the message names accounts and namespaces."""
        return {
            "status": self.status,
            "status_reason": self.reason or None,
            "upstream_request_id": self.request_id,
        }


def read_object(body: bytes) -> Mapping[str, object]:
    """Return the members of a JSON object, whatever it calls itself; empty if it is none."""
    try:
        document = parse_json(body)
    except MalformedJsonError:
        return {}
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}


def _seconds(text: str) -> float | None:
    """Read Retry-After as the API server writes it: whole seconds."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_RETRY_AFTER))):
        return None
    return min(float(text), _MAX_RETRY_AFTER)


def error_for(answer: Answer) -> SecretsError:
    """Return the error for an answer that is not the Secret asked for."""
    status, request_id = answer.status, answer.request_id
    if status >= SERVER_ERRORS:
        kind = CallFailed if status == SERVER_ERRORS else StoreUnavailable
        return kind(
            "The Kubernetes API server, or etcd behind it, is failing; check their health, and try "
            "again in 10 seconds.",
            reason=reasons.FAILING,
            upstream_request_id=request_id,
        )
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
        return UpstreamError(
            "No Kubernetes API server answers at the configured address; check the URL, https "
            "included, and any proxy before it.",
            reason=reasons.WRONG_ADDRESS,
            upstream_request_id=request_id,
        )
    return UpstreamError(
        "The Kubernetes API server refused the call; see the log of this backend.",
        reason=reasons.REQUEST_REFUSED,
        upstream_request_id=request_id,
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
