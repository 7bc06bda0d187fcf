"""The access token: kept, renewed ahead of time by one login at a time, dropped when refused.

Tokens are never renewed through Infisical's renew call: past the maximum lifetime, which is the
usual one, it destroys a good token on servers before May 2026 (measured).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from adapters.infisical import reasons
from adapters.infisical.login_history import REFUSALS, SHARED, LoginHistory
from adapters.infisical.state import TokenState
from adapters.upstream.shared_work import SharedWork
from domain.model.errors import RateLimited, SecretsError, StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.infisical.login import AccessToken, UniversalAuthLogin
    from adapters.upstream.cooldown import Cooldown
    from adapters.upstream.lockout import LockoutGuard
    from adapters.upstream.login_peers import LoginPeers
    from ports.clock import Clock

_log = structlog.get_logger()


class TokenSource:
    """Hands out one access token to all requests; safe for concurrent calls of one event loop.

    `history`: of its logins; it is told of each token that the server took.
    """

    def __init__(
        self,
        login: UniversalAuthLogin,
        cooldown: Cooldown,
        guard: LockoutGuard,
        clock: Clock,
        peers: LoginPeers,
    ) -> None:
        """Put the parts together.

        Args:
            login: raises UpstreamError.
            cooldown: is extended by the login.
            guard: says when to try again after refused logins.
        """
        self._login = login
        self._cooldown = cooldown
        self.history = LoginHistory(guard, clock)
        self._clock = clock
        self._peers = peers
        self._token: AccessToken | None = None
        self._logged_in_at: float | None = None
        self._logins = 0
        self._running: SharedWork[AccessToken] = SharedWork("infisical-login")
        self._watch: SharedWork[None] = SharedWork("infisical-credentials")
        self._again: SharedWork[None] = SharedWork("infisical-login-again")

    async def current(self, deadline: float) -> AccessToken:
        """Return a usable token, logging in if there is none.

        A login belongs to no request: it goes on when the request that began it is cancelled, and
        its outcome is shared by all that wait.

        Raises:
            UpstreamError: the login failed, or after a recent one it is too early for another.
            StoreUnavailable, RateLimited: there is no token by the deadline.
        """
        while True:
            now = self._clock.monotonic()
            token = self._token
            if token is not None and now < token.expires_at:
                if now >= max(token.refresh_at, self.history.refresh_at):
                    self._start_unless_cooling()
                return token
            if (refusal := self.history.refusal()) is not None:
                self._follow_if_refused(refusal)
                raise refusal.again()
            await self._cooldown.wait(deadline)
            running = self._running.start(self._begin)
            await self._wait(running, deadline)
            if running.cancelled():
                raise UpstreamError(
                    "This backend is shutting down; start the component again, another replica "
                    "will answer.",
                    reason=reasons.CLOSED,
                )
            outcome = running.result()
            if not isinstance(outcome, SecretsError):
                return outcome
            if not isinstance(outcome, RateLimited):
                raise outcome.again()

    def reject(self, token: AccessToken) -> int:
        """Drop a token that the server refused, unless another has taken its place since. Returns
        the number of the last login begun so far: a token of a later one was certainly made after
        this refusal.
        """
        if self._token is token:
            self._token = None
            self.history.token_refused()
        return self._logins

    def try_again(self, cause: str) -> None:
        """Forget that a login was refused, and try another as soon as it cannot lock out. `cause`:
        a constant for the log.
        """
        history = self.history
        if history.problem is None and self._clock.monotonic() >= history.guard.retry_at:
            return
        seconds = history.forget()
        _log.info("infisical.login_tried_again", cause=cause, in_seconds=round(seconds, 1))
        self._again.start(self._retry)

    def refused_elsewhere(self) -> None:
        """Note that another process was refused with the same identity."""
        self.history.guard.refused_elsewhere(hold=self._login.credentials_may_change)
        _log.info("infisical.login_refused_elsewhere")

    def state(self) -> TokenState | None:
        """Return how the token stands now; None before the first login."""
        if self._logged_in_at is None:
            return None
        now = self._clock.monotonic()
        expires_at = now if self._token is None else self._token.expires_at
        return TokenState(now - self._logged_in_at, max(0.0, expires_at - now))

    async def aclose(self) -> None:
        """End a login that is still running, and the tasks that wait for the next."""
        for work in (self._watch, self._again, self._running):
            await work.aclose()

    @property
    def _has_usable_token(self) -> bool:
        return self._token is not None and self._clock.monotonic() < self._token.expires_at

    async def _wait(self, running: asyncio.Task[Any], deadline: float) -> None:
        with suppress(TimeoutError):
            async with self._clock.timeout_at(deadline):
                await asyncio.wait({running})
        if not running.done():
            raise StoreUnavailable(
                "Infisical did not answer the login in time; check its health, and try again in 10 "
                "seconds.",
                reason=reasons.TIMED_OUT,
            )

    def _start_unless_cooling(self) -> None:
        if not self._cooldown.active:
            self._running.start(self._begin)

    def _begin(self) -> Coroutine[None, None, AccessToken]:
        self._logins += 1
        return self._run(self._logins)

    async def _run(self, number: int) -> AccessToken:
        # A login ahead of need comes at a time that is spread already.
        async with self._peers.turn(spread=not self._has_usable_token):
            # Other processes may have been refused meanwhile.
            if (held := self.history.held()) is not None:
                self._follow_if_refused(held)
                raise held.again()
            try:
                token = await self._login()
            except UpstreamError as error:
                self._failed(error.again())
                raise
            self._token = token = replace(token, login=number)
            self._logged_in_at = self._clock.monotonic()
            self.history.succeeded()
            self._watch.cancel()
            return token

    def _failed(self, problem: UpstreamError) -> None:
        may_change = self._login.credentials_may_change
        self.history.failed(problem, quick=not (self._has_usable_token or may_change))
        if problem.reason == reasons.LOGIN_REFUSED:
            self._peers.refused()
        self._follow_if_refused(problem)

    def _follow_if_refused(self, problem: UpstreamError) -> None:
        if problem.reason in REFUSALS | SHARED and self._login.credentials_may_change:
            self._watch.start(self._follow)

    async def _follow(self) -> None:
        await self._login.credentials_changed()
        self.try_again("credentials_changed")

    async def _retry(self) -> None:
        history = self.history
        while (seconds := history.guard.retry_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(seconds)
        if history.problem is not None:
            self._start_unless_cooling()
