"""Reads in the caller's name: with a login in headers of each read, or with a token of its own.

In headers, by OpenBao's inline authentication: one round trip, and no token is left behind on the
server (measured on OpenBao 2.6.2). A server that does not know it ignores the headers and answers
as to no token at all, so that it is found out by a login that must fail: only a server that knows
it says so in a header of the answer.

A token of the caller's own comes from a login that goes before its first read. The role should give
batch tokens: they leave nothing behind on the server, while each token of the other kind stays
until it expires.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, final

import structlog
from typing_extensions import override

from adapters.crypto import base64url
from adapters.upstream.shared_work import SharedWork
from adapters.vault.access import Access, Pass
from adapters.vault.caller_errors import caller_login_error, inline_failing
from adapters.vault.caller_logins import CAPACITY, partition
from adapters.vault.error_map import error_for, is_transient, unavailable
from adapters.vault.login import Token, read_token
from adapters.vault.token_makers import LOGIN_SECONDS, RENEWED_AT
from adapters.vault.wire import (
    OK,
    Call,
    inline_login_path,
    login_call,
    login_path,
    mount_path,
    namespace_header,
    token_header,
)
from domain.model.recently_used import RecentlyUsed
from domain.model.workload import signed

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from adapters.vault.addressing import Place
    from adapters.vault.caller_logins import CallerLogins
    from adapters.vault.wire import Answer, Calls
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload
    from ports.clock import Clock


_NO_TOKEN = "this-is-no-token"  # noqa: S105  it must be refused

_log = structlog.get_logger()


@final
class InlineAccess(Access):
    """Logs the caller in with each read."""

    def __init__(self, logins: CallerLogins, mount: str) -> None:
        self._logins = logins
        self._mount = mount
        self._written: RecentlyUsed[tuple[str, str], Mapping[str, str]] = RecentlyUsed(CAPACITY)

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        # A caller's token serves many reads, so its headers are written once.
        key = (place.role, self._logins.token_for(signed(caller)))
        headers = self._written.find(key)
        if headers is None:
            headers = _headers(self._mount, *key)
            self._written.keep(key, headers)
        return Pass(headers)

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        if answer.inline_failed:
            return caller_login_error(answer)
        return inline_failing(answer) or error_for(answer)

    async def is_known(self, calls: Calls, place: Place, deadline: float) -> bool:
        """Find out whether the server takes logins along with reads.

        Raises:
            StoreUnavailable, RateLimited: it does not answer just now.
            UpstreamError: it does not know the namespace, or is no such server at all.
        """
        login = _headers(self._mount, "no-role", _NO_TOKEN)
        call = Call(
            "GET",
            mount_path(place.mount),
            headers={**namespace_header(place.namespace), **login},
            tenant="probe",
            mount=place.engine,
        )
        answer = await calls.call(call, deadline)
        if answer.inline_failed:
            return True
        if is_transient(answer):
            raise unavailable(answer)
        if not answer.is_api or (answer.status != OK and "namespace" in answer.texts):
            raise error_for(answer)
        return False


def _headers(mount: str, role: str, token: str) -> Mapping[str, str]:
    return {
        "X-Vault-Inline-Auth-Path": inline_login_path(mount),
        "X-Vault-Inline-Auth-Parameter-jwt": _parameter("jwt", token),
        "X-Vault-Inline-Auth-Parameter-role": _parameter("role", role),
    }


def _parameter(name: str, text: str) -> str:
    member = json.dumps({"key": name, "value": text}, separators=(",", ":"))
    return base64url.encode(member.encode("utf-8"))


@dataclass(slots=True)
class _Kept:
    """One caller's token.

    Attributes:
        until: monotonic seconds at which to log in again.
        is_confirmed: whether a call has succeeded with it.
    """

    token: Token = field(repr=False)
    until: float
    is_confirmed: bool = False

    def doubt(self) -> bool:
        # A new token that is refused at once would be followed by another of its kind.
        if self.is_confirmed:
            self.until = -math.inf
        return self.is_confirmed

    def confirm(self) -> None:
        self.is_confirmed = True


@final
class CallerTokenAccess(Access):
    """Logs each caller in once, and uses its token until two thirds of its time are over."""

    def __init__(self, logins: CallerLogins, mount: str, calls: Calls, clock: Clock) -> None:
        self._logins = logins
        self._mount = mount
        self._calls = calls
        self._clock = clock
        self._kept: RecentlyUsed[Hashable, _Kept] = RecentlyUsed(CAPACITY)
        # The requests of one caller share a login.
        self._running: SharedWork[_Kept] = SharedWork("vault-caller-login")
        self._has_warned = False

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        caller = signed(caller)
        key = (place.namespace, place.role, partition(caller))
        kept = self._kept.find(key)
        if kept is None or self._clock.monotonic() >= kept.until:
            kept = await self._running.outcome(partial(self._log_in, key, place, caller), key)
        header = token_header(kept.token.value.get_secret_value())
        return Pass(header, kept.doubt, kept.confirm)

    async def aclose(self) -> None:
        """End logins that are still running."""
        await self._running.aclose()

    async def _log_in(self, key: Hashable, place: Place, caller: Caller) -> _Kept:
        started = self._clock.monotonic()
        body = {"role": place.role, "jwt": self._logins.token_for(caller)}
        call = login_call(login_path(self._mount), place.namespace, body)
        answer = await self._calls.call(call, started + LOGIN_SECONDS)
        if answer.status != OK:
            raise caller_login_error(answer)
        token = read_token(answer)
        if not token.is_batch and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "vault.caller_tokens_left_behind",
                advice="Set token_type=batch on the role, so that logins leave nothing behind.",
            )
        lasts = math.inf if token.seconds is None else RENEWED_AT * token.seconds
        kept = _Kept(token, started + lasts)
        self._kept.keep(key, kept)
        return kept
