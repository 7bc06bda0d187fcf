"""Tokens on a login whose outcomes a test writes down, and a clock that it moves."""

from __future__ import annotations

import asyncio
import json

from pydantic import SecretStr
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.login import AccessToken, UniversalAuthLogin
from adapters.infisical.tokens import TokenSource
from adapters.upstream.cooldown import Cooldown
from adapters.upstream.lockout import LockoutConfig, LockoutGuard
from adapters.upstream.login_peers import LoginPeers
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus
from tests.support.settling import settle
from tests.unit.adapters.upstream.http_rig import CONFIG

LIFETIME = 100.0


class ScriptedLogin(UniversalAuthLogin):
    """Gives tokens that last 100 s, to be refreshed after 80, or fails as told."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.count = 0
        self.failures: list[Exception] = []
        self.may_change = False
        self.changed = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    @override
    def credentials_may_change(self) -> bool:
        return self.may_change

    @override
    async def credentials_changed(self) -> None:
        await self.changed.wait()
        self.changed.clear()

    @override
    async def __call__(self) -> AccessToken:
        self.count += 1
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        now = self.clock.monotonic()
        return AccessToken(SecretStr(f"t{self.count}"), now + 0.8 * LIFETIME, now + LIFETIME)


class NoWaiting(FakeClock):
    """For the turns of logins, which have tests of their own."""

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Setting:
    """A token source with its collaborators."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.login = ScriptedLogin(self.clock)
        self.pause = Cooldown(CONFIG, self.clock)
        self.chance = 0.0
        self.refusals = LockoutGuard(LockoutConfig(), self.clock, lambda: self.chance)
        self.bus = FakePeerBus()
        self.tokens = self.source(self.login)

    def source(self, login: ScriptedLogin) -> TokenSource:
        peers = LoginPeers(self.bus, "identity", NoWaiting(), lambda: 0.0)
        return TokenSource(login, self.pause, self.refusals, self.clock, peers)

    @property
    def refusals_told(self) -> int:
        events = [json.loads(payload)["event"] for _, payload in self.bus.sent]
        return events.count("refused")

    async def current(self, seconds: float = 8.0) -> str:
        token = await self.tokens.current(self.clock.monotonic() + seconds)
        return token.value.get_secret_value()

    async def settle(self) -> None:
        await settle()


def refused() -> UpstreamError:
    return UpstreamError("Refused.", reason=reasons.LOGIN_REFUSED)


def failing() -> UpstreamError:
    return UpstreamError("Failing.", reason=reasons.FAILING)
