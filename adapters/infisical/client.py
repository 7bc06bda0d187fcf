"""Infisical's API as far as this store needs it: read one secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from adapters.infisical.auth import TokenSource
from adapters.infisical.counted_calls import Call, CountedCalls
from adapters.infisical.credentials import credential_source
from adapters.infisical.durations import Durations
from adapters.infisical.error_map import OK, SERVER_ERRORS, error_for, lacks_route, refuses_token
from adapters.infisical.login import UniversalAuthLogin
from adapters.infisical.rate_limit import SharedPause
from adapters.infisical.read_gate import ReadGate
from adapters.infisical.read_pause import ReadPause
from adapters.infisical.read_url import V3, V4, read_url
from adapters.infisical.refused_logins import RefusedLogins
from adapters.infisical.retry import Retrier
from adapters.infisical.state import InfisicalState

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from adapters.infisical.config import InfisicalConfig
    from adapters.infisical.credentials import CredentialSource
    from adapters.infisical.exchange import Answer
    from adapters.infisical.login import AccessToken
    from adapters.infisical.read_gate_state import ReadGateState
    from adapters.infisical.read_url import Route
    from domain.model.reference import SecretLocation
    from ports.clock import Clock

MAX_TOKEN_REPLACEMENTS = 2
"""For one read: the token that it began with, and one that others had fetched before it was refused
but that was taken back as well."""

_log = structlog.get_logger()


class InfisicalApi:
    """Reads with the newest route the server has, and with a token that holds.

    Owns the HTTP client given to it: `aclose` closes both.
    """

    def __init__(
        self,
        config: InfisicalConfig,
        http: httpx.AsyncClient,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        credentials: CredentialSource | None = None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Put the parts together.

        Args:
            config: what the operator decides.
            http: from `build_client`.
            clock: for every wait and every life.
            jitter: gives evenly spread numbers from 0 up to 1.
            credentials: what to log in with; None for what `config` says.
            on_refused: called whenever a login was refused, to tell other processes.
        """
        self._config = config
        self._clock = clock
        self._calls = CountedCalls(http, clock)
        self._waits = Durations()
        self._retrier = Retrier(clock, jitter)
        # One connection is left to the login, so that hanging reads cannot hold it up.
        places = max(1, config.max_connections - 1)
        self._gate = ReadGate(clock, places, config.max_requests_per_minute)
        self._login_pause = SharedPause(clock)
        login = UniversalAuthLogin(
            config,
            credentials or credential_source(config),
            calls=self._calls,
            retrier=self._retrier,
            pause=self._login_pause,
            clock=clock,
            jitter=jitter,
        )
        refusals = RefusedLogins(clock, jitter)
        self._tokens = TokenSource(login, self._login_pause, refusals, clock, on_refused)
        self._route = V4

    async def read(
        self,
        location: SecretLocation,
        version: str | None,
        deadline: float,
        *,
        expected: str | None = None,
    ) -> Answer:
        """Return the answer 200 for one secret.

        Args:
            location: from this store's `locate`.
            version: a whole number from 1 up; None for the latest. Older servers ignore it.
            deadline: monotonic seconds; the caller bounds the call itself.
            expected: the reason of a refusal that is what the caller hopes for: nothing that an
                operator should read of.

        Raises:
            SecretNotFound, Unauthorized, UpstreamError: see `error_map`.
        """
        self._gate.check(location, deadline)
        answer = await self._get_with_token(location, version, deadline)
        if answer.status != OK or lacks_route(answer):
            error = error_for(answer)
            (_log.debug if error.reason == expected else _log.info)(
                "infisical.read_refused", reason=error.reason, **answer.log_fields()
            )
            raise error
        return answer

    def try_login_again(self) -> None:
        """Try a login that was refused as soon as that cannot lock the identity out."""
        self._tokens.try_again("asked_for")

    def login_refused_elsewhere(self) -> None:
        """Take into account that another process was refused with the same identity."""
        self._tokens.refused_elsewhere()

    def reads(self) -> ReadGateState:
        """Return how many reads are under way, wait or were refused, and what limits them."""
        return self._gate.state()

    def state(self) -> InfisicalState:
        """Return how the token, the limits and the calls so far stand."""
        withheld = self._tokens.withheld()
        refused_seconds = 0.0 if withheld is None else withheld.seconds
        return InfisicalState(
            token=self._tokens.state(),
            login_pause_seconds=max(self._login_pause.remaining_seconds, refused_seconds),
            withheld=withheld,
            reads=self.reads(),
            calls=self._calls.counts,
            call_durations=self._calls.durations,
            read_waits=self._waits,
        )

    async def aclose(self) -> None:
        """End a running login and close all connections."""
        await self._gate.aclose()
        await self._tokens.aclose()
        await self._calls.http.aclose()

    async def _get_with_token(
        self, location: SecretLocation, version: str | None, deadline: float
    ) -> Answer:
        """Return the answer to a token that holds, or the refusal of one made after a refusal."""
        last_login: int | None = None
        replaced = 0
        while True:
            token = await self._tokens.current(deadline)
            answer = await self._get(token, location, version, deadline)
            if not refuses_token(answer):
                self._tokens.confirm()
                return answer
            logins = self._tokens.reject(token)
            # A token that was there already says nothing about what a login now would give.
            is_fresh = last_login is not None and token.login > last_login
            if is_fresh or replaced == MAX_TOKEN_REPLACEMENTS:
                return answer
            last_login = logins if last_login is None else last_login
            replaced += 1

    async def _get(
        self, token: AccessToken, location: SecretLocation, version: str | None, deadline: float
    ) -> Answer:
        route = self._route
        answer = await self._get_by(route, token, location, version, deadline)
        if not lacks_route(answer):
            return answer
        other = V3 if route is V4 else V4
        answer = await self._get_by(other, token, location, version, deadline)
        # Only an API's answer proves the other route: a proxy may be in the way of both.
        proven = answer.is_json and answer.status < SERVER_ERRORS and not lacks_route(answer)
        if proven and self._route is route:
            self._route = other
            _log.info("infisical.api_version_chosen", api_version=other.version)
        return answer

    async def _get_by(
        self,
        route: Route,
        token: AccessToken,
        location: SecretLocation,
        version: str | None,
        deadline: float,
    ) -> Answer:
        url = read_url(self._config.api_root, route, location, version)

        async def attempt() -> Answer:
            began = self._clock.monotonic()

            async def send() -> Answer:
                self._waits.add(self._clock.monotonic() - began)
                request = self._calls.http.build_request(
                    "GET",
                    url,
                    headers={"Authorization": f"Bearer {token.value.get_secret_value()}"},
                )
                return await self._calls.exchange(Call.READ, request)

            return await self._gate.send(location, deadline, send)

        pause = ReadPause(self._gate, location)
        return await self._retrier.run(attempt, pause=pause, deadline=deadline)
