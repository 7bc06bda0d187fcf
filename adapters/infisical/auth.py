"""The access token: kept, renewed ahead of time by one login at a time, dropped when refused.

Tokens are never renewed through Infisical's renew call: past the maximum lifetime, which is the
usual one, it destroys a good token (measured).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from adapters.infisical import reasons
from adapters.infisical.state import TokenState
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.infisical.login import AccessToken
    from adapters.infisical.rate_limit import SharedPause
    from ports.clock import Clock

REFUSAL_MEMORY_SECONDS = 60.0
"""Wrong credentials are tried no oftener: three wrong logins in 30 s lock the identity out."""

REFRESH_RETRY_SECONDS = 5.0
"""How soon another login ahead of time follows one that failed for no fault of the credentials."""

_REMEMBERED = frozenset({reasons.LOGIN_REFUSED, reasons.LOGIN_LOCKED})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a login failed, from which everybody who waited makes an error of their own."""

    advice: str
    reason: str
    upstream_request_id: str | None

    def error(self) -> UpstreamError:
        return UpstreamError(
            self.advice, reason=self.reason, upstream_request_id=self.upstream_request_id
        )


class TokenSource:
    """Hands out one access token to everybody; safe for concurrent calls of one event loop."""

    def __init__(
        self, login: Callable[[], Awaitable[AccessToken]], pause: SharedPause, clock: Clock
    ) -> None:
        """Take a login that raises UpstreamError, and the pause that it extends."""
        self._login = login
        self._pause = pause
        self._clock = clock
        self._token: AccessToken | None = None
        self._logged_in_at: float | None = None
        self._running: asyncio.Task[AccessToken | _Problem] | None = None
        self._problem: _Problem | None = None
        self._quiet_until = -math.inf

    async def current(self, deadline: float) -> AccessToken:
        """Return a usable token, logging in if there is none.

        A login belongs to nobody: it goes on when whoever began it is cancelled, and its outcome
        is everybody's.

        Args:
            deadline: monotonic seconds, to decide whether a rate limit can be waited out; the
                caller bounds the call itself.

        Raises:
            UpstreamError: the login failed, or a recent one was refused.
        """
        while True:
            now = self._clock.monotonic()
            token = self._token
            if token is not None and now < token.expires_at:
                if now >= max(token.refresh_at, self._quiet_until) and not self._pause.active:
                    self._start()
                return token
            if self._problem and self._problem.reason in _REMEMBERED and now < self._quiet_until:
                raise self._problem.error()
            await self._pause.wait(deadline)
            running = self._start()
            await asyncio.wait({running})
            if running.cancelled():
                raise UpstreamError(
                    "This backend is shutting down; ask again.", reason=reasons.CLOSED
                )
            outcome = running.result()
            if not isinstance(outcome, _Problem):
                return outcome
            if outcome.reason != reasons.RATE_LIMITED:
                raise outcome.error()

    def reject(self, token: AccessToken) -> None:
        """Drop a token that the server refused, unless another has taken its place since."""
        if self._token is token:
            self._token = None
            _log.info("infisical.token_refused")

    def state(self) -> TokenState | None:
        """Return how the token stands now; None before the first login."""
        if self._logged_in_at is None:
            return None
        now = self._clock.monotonic()
        expires_at = now if self._token is None else self._token.expires_at
        return TokenState(now - self._logged_in_at, max(0.0, expires_at - now))

    async def aclose(self) -> None:
        """End a login that is still running."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    def _start(self) -> asyncio.Task[AccessToken | _Problem]:
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="infisical-login")
            self._running.add_done_callback(self._finished)
        return self._running

    async def _run(self) -> AccessToken | _Problem:
        try:
            token = await self._login()
        except UpstreamError as error:
            problem = _Problem(error.advice, error.reason, error.upstream_request_id)
        else:
            self._token, self._problem, self._quiet_until = token, None, -math.inf
            self._logged_in_at = self._clock.monotonic()
            return token
        remembered = problem.reason in _REMEMBERED
        self._problem = problem
        self._quiet_until = self._clock.monotonic() + (
            REFUSAL_MEMORY_SECONDS if remembered else REFRESH_RETRY_SECONDS
        )
        return problem

    def _finished(self, task: asyncio.Task[AccessToken | _Problem]) -> None:
        self._running = None
        # Asking for the exception also keeps asyncio from reporting it with its text.
        if not task.cancelled() and (crash := task.exception()) is not None:
            _log.error("infisical.login_crashed", error_type=type(crash).__name__)
