"""The ways the service logs in, and what each answer to a login or renewal means.

| answer to a login | reason | what follows |
|---|---|---|
| 200 with a token | | |
| 400: wrong, unknown, used up, expired, not bound | login_refused | these credentials are not tried again where refusals lock the role |
| 403 "permission denied", and to a login without credentials too | login_mount_not_found | no such auth method: the operator's mistake |
| 403 "permission denied" otherwise | login_locked | locked after refusals: tried again slowly |
| the same where no refusals lock a role | login_undecided | an outage behind Vault: tried again soon |
| 403 with other words (Kubernetes) | login_refused | |
| 404 "namespace not found" | namespace_not_found | |
| 307, 412, 5xx | unavailable | tried again soon |

Measured on OpenBao 2.6.2. Where the auth method exists, a login without credentials is answered by
400 or 500, whatever role is locked; it names no role, so no role is locked by it. A Kubernetes login is refused by the bare 403 as well while the API
server cannot be reached, so that this is never taken for a verdict on the credentials.
"""  # noqa: E501  rows of a table

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

import structlog
from pydantic import SecretStr

from adapters.vault import reasons
from adapters.vault.error_map import error_for, is_transient, refused, unavailable
from adapters.vault.wire import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    login_path,
    whole_number,
)
from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.upstream.credentials import CredentialSource
    from adapters.vault.wire import Answer


MAX_LIFETIME_SECONDS: Final = 366 * 86400
"""Longer ones are taken for this: JSON can hold numbers that no clock can."""

_SENDABLE = re.compile(r"[\x21-\x7e]{1,16384}")

_SCRYPT_COST: Final = 2**14
"""Some 50 ms: a secret_id may be one that a person made up, and its fingerprint leaves the process
in messages to peers about a refusal."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Token:
    """What a login or a renewal gave.

    Attributes:
        seconds: how long it counts from when it was asked for; None for ever.
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
    value = answer.member("auth", "client_token")
    lasts = whole_number(answer.member("auth", "lease_duration"))
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
        is_renewable=answer.member("auth", "renewable") is True,
        is_batch=answer.member("auth", "token_type") == "batch",
    )


def login_error(answer: Answer) -> UpstreamError:
    """Return the error for an answer to a login of the service that is no success."""
    _log.warning("vault.login_failed", **answer.log_fields())
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


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a login sends: credentials, to a path of the HTTP API."""

    path: str
    body: Mapping[str, str] = field(repr=False)

    async def fingerprint(self) -> str:
        """Return what tells these credentials from others without giving them away."""
        parts = [self.path, *(f"{name}={text}" for name, text in sorted(self.body.items()))]
        return await asyncio.to_thread(_fingerprint, "\0".join(parts))


@final
@dataclass(frozen=True, slots=True)
class LoginMethod:
    """One way to log in.

    Attributes:
        mount: the auth method's path.
        fixed: members of the request that are the same in each.
        sources: members that are read for each login.
        is_locked_by_refusals: whether the server locks the role after some refused logins.
    """

    mount: str
    fixed: Mapping[str, str]
    sources: Mapping[str, CredentialSource]
    is_locked_by_refusals: bool = False

    @property
    def may_change(self) -> bool:
        """Whether later logins may present other credentials."""
        return any(source.may_change for source in self.sources.values())

    async def request(self) -> LoginRequest:
        """Return what to send now.

        Raises:
            UpstreamError: there are no credentials to be had just now.
        """
        read = {
            name: (await source.read()).get_secret_value() for name, source in self.sources.items()
        }
        return LoginRequest(login_path(self.mount), {**self.fixed, **read})


def app_role(
    mount: str, role_id: CredentialSource, secret_id: CredentialSource | None
) -> LoginMethod:
    """Return the login by role_id and secret_id. After five refused logins the server locks the
    role for 15 minutes, for the right secret_id too (measured).
    """
    sources = {"role_id": role_id}
    if secret_id is not None:
        sources["secret_id"] = secret_id
    return LoginMethod(mount, {}, sources, is_locked_by_refusals=True)


def signed_token(mount: str, role: str, token: CredentialSource) -> LoginMethod:
    """Return the login by a JWT, of an issuer that the server trusts or a Kubernetes account."""
    return LoginMethod(mount, {"role": role}, {"jwt": token})


def tls_certificate(mount: str, role: str) -> LoginMethod:
    """Return the login by the connection's client certificate; the role may be left out."""
    return LoginMethod(mount, {"name": role} if role else {}, {})


def _fingerprint(text: str) -> str:
    digest = hashlib.scrypt(
        text.encode("utf-8", "surrogatepass"),
        salt=b"wasmcloud-secrets vault login",
        n=_SCRYPT_COST,
        r=8,
        p=1,
        dklen=16,
    )
    return digest.hex()
