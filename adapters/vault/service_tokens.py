"""The service's own token: one for all requests, obtained by one login at a time, kept alive."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

import structlog

from adapters.upstream.shared_work import SharedWork
from adapters.vault import reasons
from adapters.vault.token_makers import RENEWED_AT
from domain.model.errors import RateLimited, UpstreamError
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.vault.login import Token
    from adapters.vault.token_makers import TokenMaker
    from ports.clock import Clock

POLL_SECONDS: Final = 1.0
"""How often credentials that failed are read again; a change is taken up once it was seen twice,
since half a file may look like a whole secret."""

UNAVAILABLE_RETRY_SECONDS: Final = 1.0
AHEAD_RETRY_SECONDS: Final = 5.0
"""After a login ahead of need failed for no fault of the credentials."""

_RETRY_SECONDS: Final = {
    # Credentials that lock their role are not sent again at all.
    reasons.LOGIN_REFUSED: (30.0, 45.0),
    reasons.LOGIN_LOCKED: (60.0, 120.0),
    reasons.LOGIN_MOUNT_NOT_FOUND: (60.0, 120.0),
    # The service behind Vault that decides on logins is away, or the token is none of its own.
    reasons.LOGIN_UNDECIDED: (5.0, 10.0),
}
"""Until the next try, from and to, by the failure; after others the times above, or up to twice."""

USELESS_RETRY_SECONDS: Final = 15.0
"""After a new token was refused as the one before: a server that accepts logins and refuses what
they give must not get one for each request."""

_SAFETY_SHARE, _MAX_SAFETY_SECONDS = 0.1, 5.0
_log = structlog.get_logger()


@opaque
class _Held:
    token: Token
    refresh_at: float
    expires_at: float


class ServiceTokens:
    """Hands out one token to every request; safe for concurrent calls of one event loop."""

    def __init__(self, maker: TokenMaker, clock: Clock, jitter: Callable[[], float]) -> None:
        self._maker = maker
        self._clock = clock
        self._jitter = jitter
        self._held: _Held | None = None
        self._error: UpstreamError | None = None
        self._quiet_until = -math.inf
        self._no_doubt_until = -math.inf
        self._is_replacement = False
        self._changed = asyncio.Event()
        self._running: SharedWork[_Held] = SharedWork("vault-login", self._changed.set)
        self._logins = self._failures = 0

    async def current(self) -> Token:
        """Return a token that counts, obtaining one if there is none.

        A login belongs to no request: it goes on when the request that began it is cancelled, and
        its outcome is that of all requests that wait for it.

        Raises:
            UpstreamError: no token is to be had now, or after a recent failure it is too early to
                try again.
        """
        now = self._clock.monotonic()
        if self._held is not None and now < self._held.expires_at:
            return self._held.token
        if self._error is not None and now < self._quiet_until:
            raise self._error.again()
        return (await self._running.outcome(self._obtain)).token

    def doubt(self, token: Token) -> bool:
        """Drop a token that the server does not accept, and say whether another may help."""
        if self._held is None or self._held.token is not token:
            return True
        now = self._clock.monotonic()
        if now < self._no_doubt_until:
            return False
        if self._is_replacement:
            # The login did not help, so it is no matter of the token, or of all tokens.
            self._no_doubt_until = now + USELESS_RETRY_SECONDS
            return False
        _log.info("vault.token_refused")
        self._held, self._is_replacement = None, True
        self._changed.set()
        return True

    def confirm(self) -> None:
        """Note that the server accepted the token."""
        self._is_replacement = False

    def try_again(self) -> None:
        """Forget that a login failed, and try another as soon as one is needed."""
        self._error, self._quiet_until = None, -math.inf
        self._changed.set()

    async def run(self) -> None:
        """Keep the token alive, and take up changed credentials; runs until it is cancelled."""
        while True:
            self._changed.clear()
            held, now = self._held, self._clock.monotonic()
            if self._error is not None:
                await self._wait_for_change()
            elif held is None:
                await self._changed.wait()
            elif now < held.refresh_at:
                await self._sleep_until(held.refresh_at)
            else:
                await asyncio.wait({self._running.start(self._obtain)})

    def problem(self) -> str | None:
        """Say why no token is to be had, as advice; None while there is one."""
        held = self._held
        if held is not None and self._clock.monotonic() < held.expires_at:
            return None
        return None if self._error is None else self._error.advice

    @property
    def remaining_seconds(self) -> float:
        """How long the token still counts; infinite without an end, 0 without a token."""
        if self._held is None:
            return 0.0
        return max(0.0, self._held.expires_at - self._clock.monotonic())

    @property
    def counts(self) -> tuple[int, int]:
        """How many tokens were obtained, and how often none was."""
        return self._logins, self._failures

    async def aclose(self) -> None:
        """End a login that is still running."""
        await self._running.aclose()

    async def _obtain(self) -> _Held:
        started = self._clock.monotonic()
        previous = self._held.token if self._held and started < self._held.expires_at else None
        try:
            token = await self._maker.obtain(previous)
        except UpstreamError as error:
            self._failed(error)
            raise
        self._held = self._hold(token, started)
        self._error, self._quiet_until = None, -math.inf
        self._logins += 1
        _log.info("vault.token_obtained", seconds=token.seconds, is_batch=token.is_batch)
        return self._held

    def _hold(self, token: Token, started: float) -> _Held:
        if token.seconds is None:
            return _Held(token, math.inf, math.inf)
        # Spread, so that replicas that started together do not log in together.
        share = RENEWED_AT - 0.05 * self._jitter()
        safety = min(_MAX_SAFETY_SECONDS, _SAFETY_SHARE * token.seconds)
        return _Held(token, started + share * token.seconds, started + token.seconds - safety)

    def _failed(self, error: UpstreamError) -> None:
        self._failures += 1
        self._error = error
        now = self._clock.monotonic()
        has_token = self._held is not None and now < self._held.expires_at
        usual = AHEAD_RETRY_SECONDS if has_token else UNAVAILABLE_RETRY_SECONDS
        shortest, longest = _RETRY_SECONDS.get(error.reason, (usual, 2 * usual))
        pause = shortest + (longest - shortest) * self._jitter()
        if isinstance(error, RateLimited) and error.retry_after is not None:
            pause = error.retry_after
        self._quiet_until = now + pause
        _log.warning(
            "vault.no_token", reason=error.reason, advice=error.advice, seconds=round(pause, 1)
        )

    async def _wait_for_change(self) -> None:
        """Wait until a failed login may be tried again, or its credentials have changed."""
        seen = False
        while self._error is not None and not self._changed.is_set():
            now = self._clock.monotonic()
            if now >= self._quiet_until:
                await asyncio.wait({self._running.start(self._obtain)})
                return
            await self._sleep_until(min(now + POLL_SECONDS, self._quiet_until))
            changed = await self._maker.has_changed()
            if changed and seen:
                self.try_again()
                await asyncio.wait({self._running.start(self._obtain)})
                return
            seen = changed

    async def _sleep_until(self, when: float) -> None:
        if when == math.inf:
            await self._changed.wait()
            return
        try:
            async with self._clock.timeout_at(when):
                await self._changed.wait()
        except TimeoutError:
            return
