"""What earlier logins came to, why they failed, and so whether another may be sent now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

import structlog

from adapters.infisical import reasons
from adapters.infisical.login import REFUSAL_ADVICE
from adapters.infisical.state import WithheldLogins
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from adapters.upstream.lockout import LockoutGuard
    from ports.clock import Clock

REFRESH_RETRY_SECONDS: Final = 5.0
"""How soon another login ahead of time follows one that failed for no fault of the credentials."""

MISTAKE_MEMORY_SECONDS: Final = 1.0
"""How long the failure of a login that a retry does not correct answers further requests: a server
that refuses promptly must not get a login for each of them."""

UNREADABLE_RETRY_SECONDS: Final = 1.0
"""How often requests have credentials read again that could not be read."""

MAX_USELESS_TOKENS: Final = 4
USELESS_RETRY_SECONDS: Final = 5.0
"""After so many tokens refused without a read served in between, logins pause: a server that
accepts logins and refuses what they give must not get one for each request."""

_MISTAKES = frozenset(
    {
        reasons.ANSWER_UNREADABLE,
        reasons.REQUEST_REFUSED,
        reasons.WRONG_ADDRESS,
        reasons.ADDRESS_REFUSED,
        reasons.WRONG_ORGANIZATION,
    }
)
REFUSALS: Final = frozenset({reasons.LOGIN_REFUSED, reasons.LOGIN_LOCKED})
"""Infisical answered that it does not let this identity in."""

SHARED: Final = frozenset({reasons.CREDENTIALS_UNREADABLE, reasons.TOKEN_REFUSED})
"""Requests that come soon after fail by these without a login of their own."""

_log = structlog.get_logger()

REFUSED: Final = UpstreamError(REFUSAL_ADVICE, reason=reasons.LOGIN_REFUSED)
USELESS_TOKENS: Final = UpstreamError(
    "Infisical refuses even fresh tokens; check the machine identity's token limits.",
    reason=reasons.TOKEN_REFUSED,
)


@final
class LoginHistory:
    """Remembers the last problem until a login succeeds. Times are monotonic seconds.

    Attributes:
        guard: keeps refused logins from locking the identity.
        problem: why the last login failed; None if it did not.
    """

    def __init__(self, guard: LockoutGuard, clock: Clock) -> None:
        self.guard = guard
        self.problem: UpstreamError | None = None
        self._clock = clock
        self._useless = 0
        self._quiet_until = self._failed_at = -math.inf

    @property
    def refresh_at(self) -> float:
        """From when on a login may be sent that is not needed yet."""
        return max(self._quiet_until, self.guard.refresh_at)

    def refusal(self) -> UpstreamError | None:
        """Return why no login may be sent for a request now; None if one may."""
        now = self._clock.monotonic()
        if (held := self.held()) is not None:
            return held
        problem = self.problem
        if problem is None or problem.reason not in _MISTAKES:
            return None
        return problem if now < self._failed_at + MISTAKE_MEMORY_SECONDS else None

    def withheld(self) -> WithheldLogins | None:
        """Return that no login may be sent now, because others were refused; None if one may."""
        now = self._clock.monotonic()
        problem = self.held()
        if problem is None:
            return None
        until = max(
            self.guard.retry_at, self._quiet_until if problem.reason in SHARED else -math.inf
        )
        return WithheldLogins(until - now, problem.advice)

    def succeeded(self) -> None:
        """Note a login that gave a token."""
        self.problem, self._quiet_until = None, -math.inf
        self.guard.accepted()

    def failed(self, problem: UpstreamError, *, quick: bool) -> None:
        """Note a login that failed; `quick` is as in `LockoutGuard.refused`."""
        self._failed_at = now = self._clock.monotonic()
        self.problem = problem
        if problem.reason == reasons.LOGIN_REFUSED:
            self.guard.refused(quick=quick)
        elif problem.reason == reasons.LOGIN_LOCKED:
            self.guard.locked()
        elif problem.reason == reasons.CREDENTIALS_UNREADABLE:
            self._quiet_until = now + UNREADABLE_RETRY_SECONDS
        else:
            self._quiet_until = now + REFRESH_RETRY_SECONDS
        if problem.reason in REFUSALS:
            seconds = round(self.guard.retry_at - now, 1)
            _log.warning("infisical.login_held_back", reason=problem.reason, seconds=seconds)

    def token_refused(self) -> None:
        """Note that the server refused a token."""
        _log.info("infisical.token_refused")
        self._useless += 1
        if self._useless >= MAX_USELESS_TOKENS:
            self.problem = USELESS_TOKENS
            self._quiet_until = self._clock.monotonic() + USELESS_RETRY_SECONDS

    def token_served(self) -> None:
        """Note that the server took a token."""
        self._useless = 0

    def forget(self) -> float:
        """Wait for nothing but the lockout's room; return the seconds until a login may be sent."""
        self.guard.forget()
        self._quiet_until = -math.inf
        return max(0.0, self.guard.retry_at - self._clock.monotonic())

    def held(self) -> UpstreamError | None:
        """Return why no login may be sent now, whether a request needs it or not."""
        now, problem = self._clock.monotonic(), self.problem
        if now < self.guard.retry_at:
            return problem if problem is not None and problem.reason in REFUSALS else REFUSED
        if problem is not None and problem.reason in SHARED and now < self._quiet_until:
            return problem
        return None
