"""Infisical's API as far as this store needs it: read one secret."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from adapters.infisical import reasons
from adapters.infisical.error_map import error_for, refuses_token
from adapters.infisical.login import UniversalAuthLogin
from adapters.infisical.protocol import (
    OK,
    SERVER_ERRORS,
    V3,
    V4,
    lacks_route,
    log_fields,
    read_path,
)
from adapters.infisical.state import InfisicalState
from adapters.infisical.tokens import TokenSource
from adapters.upstream.admission import Admission
from adapters.upstream.admission_config import AdmissionConfig
from adapters.upstream.cooldown import Cooldown
from adapters.upstream.credentials import text_source
from adapters.upstream.failures import foreign_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.infisical.login import AccessToken
    from adapters.infisical.protocol import Route, Wanted
    from adapters.infisical.settings import InfisicalSettings
    from adapters.upstream.http import UpstreamHttp
    from adapters.upstream.lockout import LockoutGuard
    from adapters.upstream.login_peers import LoginPeers
    from adapters.upstream.message import UpstreamResponse
    from adapters.upstream.statistics import AdmissionState
    from domain.model.errors import SecretsError
    from ports.clock import Clock

MAX_TOKEN_REPLACEMENTS = 2
"""For one read: the token that it began with, and one that others had fetched before it was refused
but that was taken back as well."""

_log = structlog.get_logger()


class InfisicalApi:
    """Reads with the newest route the server has, and with a token that holds.

    Owns the HTTP client given to it: `aclose` closes both. `tokens`: of all reads.
    """

    def __init__(
        self,
        settings: InfisicalSettings,
        http: UpstreamHttp,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        guard: LockoutGuard,
        peers: LoginPeers,
    ) -> None:
        """Put the parts together. `http`: takes `is_api_answer` for what tells Infisical."""
        self._http = http
        admission = AdmissionConfig(
            http.config.name,
            http.config.code,
            "INFISICAL_MAX_REQUESTS_PER_MINUTE",
            http.config.read_connections,
            settings.max_requests_per_minute,
        )
        self._admission = Admission(admission, clock)
        self._cooldown = Cooldown(http.config, clock)
        login = UniversalAuthLogin(
            (settings.client_id or "").strip(),
            text_source(
                settings.client_secret,
                settings.client_secret_file,
                "INFISICAL_CLIENT_SECRET_FILE",
                reasons.CREDENTIALS_UNREADABLE,
            ),
            http,
            self._cooldown,
            clock,
            jitter=jitter,
            organization_slug=settings.organization_slug,
        )
        self.tokens = TokenSource(login, self._cooldown, guard, clock, peers)
        self._route = V4
        self._route_proven = False

    async def read(
        self, wanted: Wanted, deadline: float, *, expected: str | None = None
    ) -> UpstreamResponse:
        """Return the answer 200 for one secret. `expected`: the reason of a refusal that is what
        the caller hopes for: nothing that an operator should read of.

        Raises:
            SecretNotFound, Unauthorized, UpstreamError: see `error_map`.
            StoreUnavailable, RateLimited: see `UpstreamHttp.request`.
        """
        location = wanted.location
        self._admission.check(key=location, tenant=location.folder, deadline=deadline)
        answer = await self._get_with_token(wanted, deadline)
        if answer.status == OK and not lacks_route(answer):
            return answer
        http = self._http
        error: SecretsError = (
            foreign_answer(http.config, proven=http.proven)
            if lacks_route(answer)
            else error_for(answer)
        )
        (_log.debug if error.reason == expected else _log.info)(
            "infisical.read_refused", reason=error.reason, **log_fields(answer)
        )
        raise error

    def reads(self) -> AdmissionState:
        """Return how many reads are in flight, wait or were refused, and what limits them."""
        return self._admission.state()

    def state(self) -> InfisicalState:
        """Return how the token, the limits and the calls so far stand."""
        withheld = self.tokens.history.withheld()
        refused_seconds = 0.0 if withheld is None else withheld.seconds
        statistics = self._http.statistics
        return InfisicalState(
            token=self.tokens.state(),
            login_pause_seconds=max(self._cooldown.remaining_seconds, refused_seconds),
            withheld=withheld,
            reads=self.reads(),
            calls=statistics.counts,
            call_durations=statistics.durations,
            read_waits=self._admission.waits,
        )

    async def aclose(self) -> None:
        """End a running login and close all connections."""
        await self._admission.aclose()
        await self.tokens.aclose()
        await self._http.aclose()

    async def _get_with_token(self, wanted: Wanted, deadline: float) -> UpstreamResponse:
        """Return the answer to a token that holds, or the refusal of one made after a refusal."""
        last_login: int | None = None
        replaced = 0
        while True:
            token = await self.tokens.current(deadline)
            answer = await self._get(token, wanted, deadline)
            if not refuses_token(answer):
                self.tokens.history.token_served()
                return answer
            logins = self.tokens.reject(token)
            # A token that was there already says nothing about what a login now would give.
            is_fresh = last_login is not None and token.login > last_login
            if is_fresh or replaced == MAX_TOKEN_REPLACEMENTS:
                return answer
            last_login = logins if last_login is None else last_login
            replaced += 1

    async def _get(self, token: AccessToken, wanted: Wanted, deadline: float) -> UpstreamResponse:
        route = self._route
        answer = await self._get_by(route, token, wanted, deadline)
        if not lacks_route(answer):
            self._prove(route, answer)
            return answer
        other = V3 if route is V4 else V4
        answer = await self._get_by(other, token, wanted, deadline)
        if not lacks_route(answer):
            self._prove(other, answer)
        return answer

    def _prove(self, route: Route, answer: UpstreamResponse) -> None:
        if answer.status >= SERVER_ERRORS:
            return
        self._http.proven = True
        self._route_proven = True
        if self._route is not route:
            self._route = route
            _log.info("infisical.api_version_chosen", api_version=route.version)

    async def _get_by(
        self, route: Route, token: AccessToken, wanted: Wanted, deadline: float
    ) -> UpstreamResponse:
        where = wanted.location
        slot = partial(self._admission.slot, key=where, tenant=where.folder, deadline=deadline)
        return await self._http.request(
            "GET",
            read_path(route, wanted),
            headers={"Authorization": f"Bearer {token.value.get_secret_value()}"},
            deadline=deadline,
            slot=slot,
            # Servers of 2024 answer an unknown route with the web page of their user interface.
            judged=self._route_proven and route is self._route,
        )
