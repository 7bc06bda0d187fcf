"""One login or renewal: what is sent, and what each answer means.

| answer to a login | reason | what follows |
|---|---|---|
| 200 with a token | | |
| 400: wrong, unknown, used up, expired, not bound | login_refused | these credentials are not tried again where refusals lock the role |
| 403 "permission denied", and to a login without credentials too | login_mount_not_found | no such auth method: the operator's mistake |
| 403 "permission denied" otherwise | login_locked | locked after refusals: tried again slowly |
| the same where no refusals lock a role | login_undecided | an outage behind Vault: tried again soon |
| 403 with other words (Kubernetes) | login_refused | |
| 404 "namespace not found" | namespace_not_found | |
| 429 | vault_rate_limited | |
| 307, 412, 5xx | unavailable | tried again soon |

Measured on OpenBao 2.6.2. Where the auth method exists, a login without credentials is answered by
400 or 500, whatever role is locked; it names no role, so no role is locked by it. A Kubernetes login is refused by the bare 403 as well while the API
server cannot be reached, so that this is never taken for a verdict on the credentials.
"""  # noqa: E501  rows of a table

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import SecretStr

from adapters.vault import reasons
from adapters.vault.answer import BAD_REQUEST, FORBIDDEN, NOT_FOUND, TOO_MANY, whole_number
from adapters.vault.error_map import error_for, is_transient, rate_limited, refused, unavailable
from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from adapters.vault.answer import Answer

MAX_LIFETIME_SECONDS: Final = 366 * 86400
"""Longer ones are taken for this: JSON can hold numbers that no clock can."""

_SENDABLE = re.compile(r"[\x21-\x7e]{1,16384}")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Token:
    """What a login or a renewal gave.

    Attributes:
        seconds: how long it counts from when it was asked for; None for ever.
        is_renewable: whether it can be renewed.
        is_batch: whether it leaves nothing behind on the server.
    """

    value: SecretStr = field(repr=False)
    seconds: float | None
    is_renewable: bool
    is_batch: bool


def read_token(answer: Answer) -> Token:
    """Read an answer 200 to a login or a renewal.

    Raises:
        UpstreamError: it holds no token that can be sent.
    """
    auth = answer.member("auth")
    details = auth if isinstance(auth, dict) else {}
    value = details.get("client_token")
    lasts = whole_number(details.get("lease_duration"))
    if not isinstance(value, str) or not _SENDABLE.fullmatch(value) or lasts is None or lasts < 0:
        raise UpstreamError(
            "Vault's answer to the login holds no token; check that VAULT_ADDR is Vault's own "
            "address, and the versions of both sides.",
            reason=reasons.ANSWER_UNREADABLE,
            upstream_request_id=answer.request_id,
        )
    return Token(
        value=SecretStr(value),
        seconds=float(min(lasts, MAX_LIFETIME_SECONDS)) if lasts else None,
        is_renewable=details.get("renewable") is True,
        is_batch=details.get("token_type") == "batch",
    )


def login_error(answer: Answer) -> UpstreamError:
    """Return the error for an answer to a login of the service that is no success."""
    _log.warning("vault.login_failed", **answer.log_fields())
    if answer.status == TOO_MANY:
        return rate_limited(answer)
    if answer.status == NOT_FOUND:
        error = error_for(answer)
        return error if isinstance(error, UpstreamError) else refused(answer)
    if not answer.is_api and not is_transient(answer):
        return refused(answer)
    if answer.status == FORBIDDEN and answer.texts == "permission denied":
        return UpstreamError(
            "Vault denies the login without a look at the credentials: wait 15 minutes if wrong "
            "secrets were tried before, and see Vault's log.",
            reason=reasons.LOGIN_LOCKED,
        )
    if answer.status in {BAD_REQUEST, FORBIDDEN}:
        return UpstreamError(
            "Failed to authenticate with Vault; check the login's credentials and its role: that "
            "they belong together, and are neither expired, used up, destroyed nor bound to "
            "another address, audience or subject.",
            reason=reasons.LOGIN_REFUSED,
        )
    return unavailable(answer) if is_transient(answer) else refused(answer)


def undecided() -> StoreUnavailable:
    """Return the error for a login that was denied, by a method that is never locked."""
    return StoreUnavailable(
        "Vault could not decide on the login; check that it reaches what it asks about logins, "
        "such as the Kubernetes API server, that the token's file holds such a token, and see "
        "Vault's log.",
        reason=reasons.LOGIN_UNDECIDED,
    )


def no_login_mount() -> UpstreamError:
    """Return the error for a login where the server has no auth method."""
    return UpstreamError(
        "Vault has no auth method at the login's mount; check VAULT_LOGIN_MOUNT, and "
        "VAULT_NAMESPACE if the method is enabled in a namespace.",
        reason=reasons.LOGIN_MOUNT_NOT_FOUND,
    )
