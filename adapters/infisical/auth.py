"""The access token: kept, renewed ahead of time by one login at a time, dropped when refused.

Tokens are never renewed through Infisical's renew call: past the maximum lifetime, which is the
usual one, it destroys a good token (measured).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from adapters.infisical import reasons
from adapters.infisical.login_problem import REFUSED, USELESS_TOKENS, LoginProblem
from adapters.infisical.one_task import OneTask, report_crash
from adapters.infisical.state import TokenState, WithheldLogins
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.infisical.login import AccessToken, Login
    from adapters.infisical.rate_limit import SharedPause
    from adapters.infisical.refused_logins import RefusedLogins
    from ports.clock import Clock

REFRESH_RETRY_SECONDS: Final = 5.0
"""How soon another login ahead of time follows one that failed for no fault of the credentials."""

MISTAKE_MEMORY_SECONDS: Final = 1.0
"""How long a login that a retry will not mend answers further requests: whoever answers it that
promptly must not get one for each of them."""

_MISTAKES = frozenset({reasons.ANSWER_UNREADABLE, reasons.REQUEST_REFUSED, reasons.WRONG_ADDRESS})

UNREADABLE_RETRY_SECONDS: Final = 1.0
"""How often requests have credentials read again that could not be read."""

MAX_USELESS_TOKENS: Final = 4
USELESS_RETRY_SECONDS: Final = 5.0
"""After so many tokens refused without a read served in between, logins pause: a server that
accepts logins and refuses what they give must not get one for each request."""

_log = structlog.get_logger()


class TokenSource:
    """Hands out one access token to everybody; safe for concurrent calls of one event loop."""

    def __init__(
        self,
        login: Login,
        pause: SharedPause,
        refusals: RefusedLogins,
        clock: Clock,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Put the parts together.

        Args:
            login: raises UpstreamError.
            pause: is extended by the login.
            refusals: says when to try again.
            clock: for the tokens' lives.
            on_refused: is called at once whenever a login was refused.
        """
        self._login = login
        self._pause = pause
        self._refusals = refusals
        self._clock = clock
        self._on_refused = on_refused
        self._token: AccessToken | None = None
        self._useless = 0
        self._logged_in_at: float | None = None
        self._logins = 0
        self._running: asyncio.Task[AccessToken | LoginProblem] | None = None
        self._watch = OneTask("infisical-credentials")
        self._again = OneTask("infisical-login-again")
        self._problem: LoginProblem | None = None
        self._quiet_until = self._failed_at = -math.inf

    async def current(self, deadline: float) -> AccessToken:
        """Return a usable token, logging in if there is none.

        A login belongs to nobody: it goes on when whoever began it is cancelled, and its outcome
        is everybody's.

        Args:
            deadline: monotonic seconds, to decide whether a rate limit can be waited out; the
                caller bounds the call itself.

        Raises:
            UpstreamError: the login failed, or after a recent one it is too early for another.
        """
        while True:
            now = self._clock.monotonic()
            token = self._token
            if token is not None and now < token.expires_at:
                if now >= max(token.refresh_at, self._quiet_until, self._refusals.refresh_at):
                    self._start_unless_paused()
                return token
            if (held := self._held(now) or self._just_failed(now)) is not None:
                raise held.error()
            await self._pause.wait(deadline)
            running = self._start()
            await asyncio.wait({running})
            if running.cancelled():
                raise UpstreamError(
                    "This backend is shutting down; start the component again, another replica "
                    "will answer.",
                    reason=reasons.CLOSED,
                )
            outcome = running.result()
            if not isinstance(outcome, LoginProblem):
                return outcome
            if outcome.reason != reasons.RATE_LIMITED:
                raise outcome.error()

    def reject(self, token: AccessToken) -> int:
        """Drop a token that the server refused, unless another has taken its place since.

        Returns:
            The number of the last login begun so far: a token of a later one was certainly made
            after this refusal.
        """
        if self._token is token:
            self._token = None
            _log.info("infisical.token_refused")
            self._useless += 1
            if self._useless >= MAX_USELESS_TOKENS:
                self._problem = USELESS_TOKENS
                self._quiet_until = self._clock.monotonic() + USELESS_RETRY_SECONDS
        return self._logins

    def confirm(self) -> None:
        """Note that the server took a token."""
        self._useless = 0

    def try_again(self, cause: str) -> None:
        """Forget that a login was refused, and try another as soon as it cannot lock out.

        Args:
            cause: a constant for the log.
        """
        if self._problem is None and self._clock.monotonic() >= self._refusals.retry_at:
            return
        self._refusals.forget()
        self._quiet_until = -math.inf
        seconds = max(0.0, self._refusals.retry_at - self._clock.monotonic())
        _log.info("infisical.login_tried_again", cause=cause, in_seconds=round(seconds, 1))
        self._again.start(self._retry)

    def refused_elsewhere(self) -> None:
        """Note that another process was refused with the same identity."""
        self._refusals.refused_elsewhere()
        _log.info("infisical.login_refused_elsewhere")

    def state(self) -> TokenState | None:
        """Return how the token stands now; None before the first login."""
        if self._logged_in_at is None:
            return None
        now = self._clock.monotonic()
        expires_at = now if self._token is None else self._token.expires_at
        return TokenState(now - self._logged_in_at, max(0.0, expires_at - now))

    def withheld(self) -> WithheldLogins | None:
        """Return that no login may be sent now, because others were refused; None if one may."""
        now = self._clock.monotonic()
        problem = self._held(now)
        if problem is None:
            return None
        until = max(self._refusals.retry_at, self._quiet_until if problem.is_shared else -math.inf)
        return WithheldLogins(until - now, problem.advice)

    async def aclose(self) -> None:
        """End a login that is still running, and whatever waits for the next."""
        await self._watch.aclose()
        await self._again.aclose()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    def _held(self, now: float) -> LoginProblem | None:
        """Return why no login may be sent now, if so."""
        problem = self._problem
        if now < self._refusals.retry_at:
            return problem if problem is not None and problem.is_refusal else REFUSED
        if problem is not None and problem.is_shared and now < self._quiet_until:
            return problem
        return None

    def _just_failed(self, now: float) -> LoginProblem | None:
        problem = self._problem
        if problem is None or problem.reason not in _MISTAKES:
            return None
        return problem if now < self._failed_at + MISTAKE_MEMORY_SECONDS else None

    def _start_unless_paused(self) -> None:
        if not self._pause.active:
            self._start()

    def _start(self) -> asyncio.Task[AccessToken | LoginProblem]:
        if self._running is None:
            self._logins += 1
            self._running = asyncio.create_task(self._run(self._logins), name="infisical-login")
            self._running.add_done_callback(self._finished)
        return self._running

    async def _run(self, number: int) -> AccessToken | LoginProblem:
        try:
            token = await self._login()
        except UpstreamError as error:
            problem = LoginProblem(
                error.advice,
                error.reason,
                error.upstream_request_id,
                type(error),
                error.retry_after,
            )
        else:
            token = replace(token, login=number)
            self._succeeded(token)
            return token
        self._failed(problem)
        return problem

    def _succeeded(self, token: AccessToken) -> None:
        self._token, self._problem, self._quiet_until = token, None, -math.inf
        self._logged_in_at = self._clock.monotonic()
        self._refusals.accepted()
        self._watch.cancel()

    def _failed(self, problem: LoginProblem) -> None:
        self._failed_at = now = self._clock.monotonic()
        self._problem = problem
        is_usable = self._token is not None and now < self._token.expires_at
        if problem.reason == reasons.LOGIN_REFUSED:
            self._refusals.refused(quick=not (is_usable or self._login.credentials_may_change))
            self._on_refused()
        elif problem.reason == reasons.LOGIN_LOCKED:
            self._refusals.locked()
        elif problem.reason == reasons.CREDENTIALS_UNREADABLE:
            self._quiet_until = now + UNREADABLE_RETRY_SECONDS
        else:
            self._quiet_until = now + REFRESH_RETRY_SECONDS
        if problem.is_refusal:
            seconds = round(self._refusals.retry_at - now, 1)
            _log.warning("infisical.login_held_back", reason=problem.reason, seconds=seconds)
        if (problem.is_refusal or problem.is_shared) and self._login.credentials_may_change:
            self._watch.start(self._follow)

    async def _follow(self) -> None:
        await self._login.credentials_changed()
        self.try_again("credentials_changed")

    async def _retry(self) -> None:
        while (seconds := self._refusals.retry_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(seconds)
        if self._problem is not None:
            self._start_unless_paused()

    def _finished(self, task: asyncio.Task[AccessToken | LoginProblem]) -> None:
        self._running = None
        report_crash(task)
