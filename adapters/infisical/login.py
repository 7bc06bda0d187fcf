"""One Universal Auth login."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from adapters.infisical import reasons
from adapters.infisical.error_map import refusal, refuses_address
from adapters.infisical.protocol import (
    OK,
    SERVER_ERRORS,
    lacks_route,
    log_fields,
    message,
    request_id,
)
from adapters.upstream.credentials import until_changed
from adapters.upstream.statistics import Lane
from domain.model.errors import UpstreamError
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.upstream.cooldown import Cooldown
    from adapters.upstream.credentials import CredentialSource
    from adapters.upstream.http import UpstreamHttp
    from adapters.upstream.message import UpstreamResponse
    from domain.model.errors import SecretsError
    from ports.clock import Clock

LOGIN_PATH = "/v1/auth/universal-auth/login"

LOGIN_BUDGET_SECONDS = 10.0
"""For one login with all its attempts. Each request that waits keeps a deadline of its own."""

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
ORGANIZATION_ADVICE = (
    "Infisical does not let the machine identity log in to that sub-organisation; check "
    "INFISICAL_ORGANIZATION_SLUG, and that the identity may use it."
)
LOCKED_ADVICE = (
    "Infisical has locked the machine identity's login after wrong secrets; wait some minutes, and "
    "look for a client that uses an old secret."
)


@opaque
class AccessToken:
    """What one login gave.

    Attributes:
        refresh_at: monotonic seconds from which on to fetch another.
        expires_at: monotonic seconds at which to stop using it.
        login: the how many-th login of its source it came from.
    """

    value: SecretStr
    refresh_at: float
    expires_at: float
    login: int = 0


class UniversalAuthLogin:
    """Logs the configured machine identity in, with the credentials as they are then."""

    def __init__(
        self,
        client_id: str,
        client_secret: CredentialSource,
        http: UpstreamHttp,
        cooldown: Cooldown,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        organization_slug: str | None = None,
    ) -> None:
        slug = organization_slug
        self._body = {"clientId": client_id, **({} if slug is None else {"organizationSlug": slug})}
        self._secret = client_secret
        self._used: SecretStr | None = None
        self._jitter = jitter
        self._http = http
        self._cooldown = cooldown
        self._clock = clock

    @property
    def credentials_may_change(self) -> bool:
        """Whether a refused login may succeed by another client secret than the one refused."""
        return self._secret.may_change

    async def credentials_changed(self) -> None:
        """Return once there is another client secret than the last login was tried with."""
        await until_changed(self._secret, lambda: self._used, self._clock)

    async def __call__(self) -> AccessToken:
        """Log in.

        Raises:
            UpstreamError: there are no credentials, or they are refused.
            StoreUnavailable, RateLimited: they could not be checked.
        """
        started = self._clock.monotonic()
        secret = await self._read_secret()
        answer = await self._http.request(
            "POST",
            LOGIN_PATH,
            json={**self._body, "clientSecret": secret.get_secret_value()},
            deadline=started + LOGIN_BUDGET_SECONDS,
            lane=Lane.LOGIN,
            slot=self._cooldown.slot,
            is_api_answer=lambda response: not lacks_route(response),
        )
        # The lifetime counts from before the first attempt: rather too early than too late.
        token = _read_token(answer, started, self._jitter())
        if token is None:
            error = _login_error(answer)
            _log.warning("infisical.login_failed", reason=error.reason, **log_fields(answer))
            raise error
        _log.info("infisical.login_succeeded", usable_seconds=round(token.expires_at - started, 1))
        return token

    async def _read_secret(self) -> SecretStr:
        try:
            self._used = await self._secret.read()
        except UpstreamError as error:
            self._used = None
            _log.warning("infisical.login_failed", reason=error.reason, advice=error.advice)
            raise
        return self._used


def _read_token(answer: UpstreamResponse, started: float, jitter: float) -> AccessToken | None:
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


def _login_error(answer: UpstreamResponse) -> SecretsError:
    if answer.status == OK:
        return refusal(reasons.ANSWER_UNREADABLE, answer)
    if answer.status >= SERVER_ERRORS:
        return refusal(reasons.FAILING, answer)
    if refuses_address(answer):
        return refusal(reasons.ADDRESS_REFUSED, answer)
    # Wrong secret 401, unknown client id 404 or 401, malformed credentials 401 or 422, and in
    # older servers 403: in all of them other credentials are what helps.
    reason, advice = reasons.LOGIN_REFUSED, REFUSAL_ADVICE
    if "locked" in message(answer):
        reason, advice = reasons.LOGIN_LOCKED, LOCKED_ADVICE
    elif "organization" in message(answer):
        # The secret was right, so that it counts towards no lock (read in the server's code).
        reason, advice = reasons.WRONG_ORGANIZATION, ORGANIZATION_ADVICE
    return UpstreamError(advice, reason=reason, upstream_request_id=request_id(answer))
