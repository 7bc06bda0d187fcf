"""One Universal Auth login."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

import structlog
from pydantic import SecretStr
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.counted_calls import Call
from adapters.infisical.credentials import until_changed
from adapters.infisical.error_map import OK, SERVER_ERRORS, lacks_route
from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.infisical.config import InfisicalConfig
    from adapters.infisical.counted_calls import CountedCalls
    from adapters.infisical.credentials import Credentials, CredentialSource
    from adapters.infisical.exchange import Answer
    from adapters.infisical.rate_limit import SharedPause
    from adapters.infisical.retry import Retrier
    from ports.clock import Clock

LOGIN_BUDGET_SECONDS = 10.0
"""For one login with all its attempts. Whoever waits for it keeps a deadline of their own."""

DEFAULT_LIFETIME_SECONDS = 3600.0
"""Assumed when the server does not limit a token; its refusal ends it earlier."""

MAX_LIFETIME_SECONDS = 366 * 86400.0
"""Longer ones are taken for this: JSON can hold numbers that no clock can."""

_REFRESH_SHARE, _MAX_REFRESH_SECONDS = 0.2, 60.0
_SAFETY_SHARE, _MAX_SAFETY_SECONDS = 0.1, 5.0
_SENDABLE = re.compile(r"[\x21-\x7e]{1,16384}")
_log = structlog.get_logger()

REFUSAL_ADVICE = (
    "Failed to authenticate with Infisical; check INFISICAL_CLIENT_ID and "
    "INFISICAL_CLIENT_SECRET (or its file), that the client secret is neither revoked, expired nor "
    "used up, and that INFISICAL_BASE_URL is the identity's instance."
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What one login gave.

    Attributes:
        value: the token.
        refresh_at: monotonic seconds from which on to fetch another.
        expires_at: monotonic seconds at which to stop using it.
        login: the how many-th login of its source it came from.
    """

    value: SecretStr = field(repr=False)
    refresh_at: float
    expires_at: float
    login: int = 0


class Login(Protocol):
    """One way to get a token."""

    @property
    def credentials_may_change(self) -> bool:
        """Whether a refused login may succeed by other credentials than those refused."""
        ...

    async def credentials_changed(self) -> None:
        """Return once there are other credentials than the last login was tried with."""
        ...

    async def __call__(self) -> AccessToken:
        """Log in.

        Raises:
            UpstreamError: there are no credentials, they are refused, or nobody could check them.
        """
        ...


@final
class UniversalAuthLogin(Login):
    """Logs the configured machine identity in, with the credentials as they are then."""

    def __init__(
        self,
        config: InfisicalConfig,
        credentials: CredentialSource,
        *,
        calls: CountedCalls,
        retrier: Retrier,
        pause: SharedPause,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._used: Credentials | None = None
        self._jitter = jitter
        self._calls = calls
        self._retrier = retrier
        self._pause = pause
        self._clock = clock

    @property
    @override
    def credentials_may_change(self) -> bool:
        return self._credentials.may_change

    @override
    async def credentials_changed(self) -> None:
        await until_changed(self._credentials, lambda: self._used, self._clock)

    @override
    async def __call__(self) -> AccessToken:
        started = self._clock.monotonic()
        deadline = started + LOGIN_BUDGET_SECONDS
        token: AccessToken | None = None
        answer: Answer | None = None
        try:
            async with self._clock.timeout_at(deadline):
                credentials = await self._read_credentials()
                answer = await self._retrier.run(
                    lambda: self._attempt(credentials), pause=self._pause, deadline=deadline
                )
                # The lifetime counts from before the first attempt: rather too early than too late.
                token = _read_token(answer, started, self._jitter())
        except TimeoutError:
            pass
        if answer is None:
            raise StoreUnavailable(
                "Infisical did not answer the login in time; check its health, and try again "
                "in 10 seconds.",
                reason=reasons.TIMED_OUT,
            )
        if token is None:
            error = _login_error(answer)
            _log.warning("infisical.login_failed", reason=error.reason, **answer.log_fields())
            raise error
        _log.info("infisical.login_succeeded", usable_seconds=round(token.expires_at - started, 1))
        return token

    async def _read_credentials(self) -> Credentials:
        try:
            self._used = await self._credentials.read()
        except UpstreamError as error:
            self._used = None
            _log.warning("infisical.login_failed", reason=error.reason, advice=error.advice)
            raise
        return self._used

    async def _attempt(self, credentials: Credentials) -> Answer:
        # A rate limit is not waited out here but by each who waits, as their time allows.
        if self._pause.active:
            raise self._pause.error()
        request = self._calls.http.build_request(
            "POST",
            f"{self._config.api_root}/v1/auth/universal-auth/login",
            # Stripped because secrets read from files tend to end in a line break.
            json={
                "clientId": credentials.client_id.get_secret_value().strip(),
                "clientSecret": credentials.client_secret.get_secret_value().strip(),
            },
        )
        return await self._calls.exchange(Call.LOGIN, request)


def _read_token(answer: Answer, started: float, jitter: float) -> AccessToken | None:
    value, lifetime = answer.member("accessToken"), answer.member("expiresIn")
    if answer.status != OK or not isinstance(value, str) or not _SENDABLE.fullmatch(value):
        return None
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)):
        return None
    seconds = DEFAULT_LIFETIME_SECONDS
    if lifetime > 0:
        seconds = float(min(lifetime, MAX_LIFETIME_SECONDS))
    # Spread over up to twice the time: replicas that started together must not all be refused at
    # once, which would lock the identity before one could tell the others.
    ahead = (1 + jitter) * min(_MAX_REFRESH_SECONDS, _REFRESH_SHARE * seconds)
    return AccessToken(
        value=SecretStr(value),
        refresh_at=started + seconds - ahead,
        expires_at=started + seconds - min(_MAX_SAFETY_SECONDS, _SAFETY_SHARE * seconds),
    )


def _login_error(answer: Answer) -> UpstreamError:
    request_id = answer.request_id
    if lacks_route(answer):
        return UpstreamError(
            "No Infisical API answers at INFISICAL_BASE_URL; set it to the instance's address.",
            reason=reasons.WRONG_ADDRESS,
            upstream_request_id=request_id,
        )
    if answer.status == OK:
        return UpstreamError(
            "Infisical's answer to the login cannot be read; check the versions of both sides.",
            reason=reasons.ANSWER_UNREADABLE,
            upstream_request_id=request_id,
        )
    if answer.status >= SERVER_ERRORS:
        return StoreUnavailable(
            "Infisical is failing at the login; check its health, and try again in 10 seconds.",
            reason=reasons.FAILING,
            upstream_request_id=request_id,
        )
    if not answer.is_json:
        return UpstreamError(
            "A proxy before Infisical refused the login; let this backend through.",
            reason=reasons.REQUEST_REFUSED,
            upstream_request_id=request_id,
        )
    if "locked" in answer.message:
        return UpstreamError(
            "Infisical has locked the machine identity's login after wrong secrets; wait some "
            "minutes, and look for whoever uses an old secret.",
            reason=reasons.LOGIN_LOCKED,
            upstream_request_id=request_id,
        )
    # Wrong secret 401, unknown client id 404 or 401, malformed credentials 401 or 422, and in
    # older servers 403: in all of them other credentials are what helps.
    return UpstreamError(
        REFUSAL_ADVICE, reason=reasons.LOGIN_REFUSED, upstream_request_id=request_id
    )
