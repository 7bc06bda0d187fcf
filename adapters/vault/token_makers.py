"""Where the service's own token comes from: a login, renewed while that helps, or the operator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, final

import structlog
from typing_extensions import override

from adapters.vault import reasons
from adapters.vault.error_map import doubts_token, error_for, lacks_right, refused
from adapters.vault.login import Token, login_error, no_login_mount, read_token, undecided
from adapters.vault.wire import BAD_REQUEST, FORBIDDEN, OK, RENEW_SELF, Answer, login_call
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from adapters.upstream.credentials import CredentialSource
    from adapters.vault.login import LoginMethod, LoginRequest
    from adapters.vault.refusals import Refusals
    from adapters.vault.wire import Calls
    from ports.clock import Clock


LOGIN_SECONDS: Final = 10.0
"""For one login with all its attempts: while the active node hangs, a standby takes logins and
never answers them (measured)."""

GROWS: Final = 0.9
"""A renewal that grants less than this share of what the login did has met the token's maximum."""

RENEWED_AT: Final = 2 / 3
"""The share of its lifetime after which a token is renewed."""

RENEWAL_POLICY: Final = 'path "auth/token/renew-self" { capabilities = ["update"] }'
"""What a token without the default policy needs to be renewed, in Vault's language."""

LOOK_AGAIN_SECONDS: Final = 30.0
"""How often a token's file is read, which an agent may write at any time."""

_log = structlog.get_logger()


class TokenMaker(Protocol):
    """Gives the service a token."""

    async def obtain(self, previous: Token | None) -> Token:
        """Return a token that counts from now on. `previous`: the one in use, which may be renewed;
        None if there is none.

        Raises:
            UpstreamError: there is none to be had just now.
        """

    async def has_changed(self) -> bool:
        """Say whether the credentials are others than those last tried."""


@final
@dataclass(slots=True)
class LoginMaker(TokenMaker):
    """Logs in, and renews what a login gave until the server grants less."""

    method: LoginMethod
    namespace: str
    calls: Calls
    refusals: Refusals
    clock: Clock
    _granted: float = field(default=0.0, init=False)
    _tried: LoginRequest | None = field(default=None, init=False)
    _fingerprint: str = field(default="", init=False)

    @override
    async def obtain(self, previous: Token | None) -> Token:
        if previous is not None and previous.is_renewable:
            renewed = await self._renewed(previous)
            if renewed is not None:
                return renewed
        return await self._login()

    @override
    async def has_changed(self) -> bool:
        if not self.method.may_change:
            return False
        try:
            return await self.method.request() != self._tried
        except UpstreamError:
            return False

    async def _login(self) -> Token:
        request = await self.method.request()
        fingerprint = ""
        if self.method.is_locked_by_refusals:
            if request != self._tried or not self._fingerprint:
                self._fingerprint = await request.fingerprint()
            fingerprint = self._fingerprint
        self._tried = request
        if fingerprint:
            if await self.refusals.is_refused(fingerprint):
                raise UpstreamError(
                    "Vault has refused these credentials before, so they are not tried again: five "
                    "refused logins lock the role for everything that uses it. Write other "
                    "credentials, or have this backend try them once more by SIGHUP.",
                    reason=reasons.LOGIN_REFUSED,
                )
            if self.refusals.retry_at > self.clock.monotonic():
                raise UpstreamError(
                    "Vault has refused several different credentials within 15 minutes; the next "
                    "login waits, since five refusals lock the role. Check the role_id and the "
                    "secret_id.",
                    reason=reasons.LOGIN_LOCKED,
                )
        answer = await self._post(request.path, request.body)
        if answer.status != OK:
            error = login_error(answer)
            if error.reason == reasons.LOGIN_LOCKED:
                error = await self._denied(request.path, error)
            if error.reason == reasons.LOGIN_REFUSED and fingerprint:
                await self.refusals.refused(fingerprint)
            raise error
        token = read_token(answer)
        if fingerprint:
            await self.refusals.accepted(fingerprint)
        self._granted = token.seconds or 0.0
        return token

    async def _denied(self, path: str, locked: UpstreamError) -> UpstreamError:
        """Ask what a bare denial means, by a login without credentials, which locks no role."""
        answer = await self._post(path, {})
        if answer.status == FORBIDDEN:
            return no_login_mount()
        return locked if self.method.is_locked_by_refusals else undecided()

    async def _post(self, path: str, body: Mapping[str, str]) -> Answer:
        call = login_call(path, self.namespace, body)
        return await self.calls.call(call, self.clock.monotonic() + LOGIN_SECONDS)

    async def _renewed(self, token: Token) -> Token | None:
        answer = await renew(self.calls, self.namespace, token.value, self.clock)
        if answer.status != OK:
            warn_of_missing_right(answer)
            return None
        renewed = read_token(answer)
        return renewed if (renewed.seconds or math.inf) >= GROWS * self._granted else None


async def renew(calls: Calls, namespace: str, token: SecretStr, clock: Clock) -> Answer:
    """Ask the server to renew a token, and return what it answers."""
    call = login_call(RENEW_SELF, namespace, {}, token=token.get_secret_value())
    return await calls.call(call, clock.monotonic() + LOGIN_SECONDS)


def warn_of_missing_right(answer: Answer) -> None:
    """Log what the token needs if it may not renew itself."""
    if lacks_right(answer):
        _log.warning("vault.renewal_denied", policy=RENEWAL_POLICY)


@final
@dataclass(slots=True)
class GivenToken(TokenMaker):
    """A token that the operator gives, renewed where the server allows it.

    Renewing also tells how long it counts, which asking for it would need a right that tokens
    without the default policy lack (measured).
    """

    source: CredentialSource
    namespace: str
    calls: Calls
    clock: Clock
    _text: SecretStr | None = field(default=None, init=False)
    _ends: float = field(default=math.inf, init=False)
    _renew_at: float = field(default=-math.inf, init=False)

    @override
    async def obtain(self, previous: Token | None) -> Token:
        text = await self.source.read()
        if text != self._text:
            self._text, self._ends, self._renew_at = text, math.inf, -math.inf
        if self.clock.monotonic() >= self._renew_at or previous is None:
            await self._renew(text)
        seconds = self._ends - self.clock.monotonic()
        if self.source.may_change:
            seconds = min(seconds, LOOK_AGAIN_SECONDS / RENEWED_AT)
        return Token(
            value=text,
            seconds=None if seconds == math.inf else max(0.0, seconds),
            is_renewable=False,
            is_batch=False,
        )

    @override
    async def has_changed(self) -> bool:
        if not self.source.may_change:
            return False
        try:
            return await self.source.read() != self._text
        except UpstreamError:
            return False

    async def _renew(self, text: SecretStr) -> None:
        started = self.clock.monotonic()
        answer = await renew(self.calls, self.namespace, text, self.clock)
        if answer.status == OK:
            lasts = read_token(answer).seconds
            self._ends = math.inf if lasts is None else started + lasts
            self._renew_at = math.inf if lasts is None else started + RENEWED_AT * lasts
            return
        if doubts_token(answer):
            raise UpstreamError(
                "Vault does not accept the token of VAULT_TOKEN or VAULT_TOKEN_FILE; check that "
                "it is neither expired, revoked, used up nor bound to other addresses.",
                reason=reasons.LOGIN_REFUSED,
            )
        if answer.status not in {BAD_REQUEST, FORBIDDEN}:
            raise _given_token_error(answer)
        warn_of_missing_right(answer)
        # It cannot be renewed, or may not: it counts until the server says otherwise.
        self._renew_at = math.inf


def _given_token_error(answer: Answer) -> UpstreamError:
    error = error_for(answer)
    return error if isinstance(error, UpstreamError) else refused(answer)
