"""The adapter over a modelled Infisical, with time in the test's hand and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from pydantic import SecretStr

from adapters.infisical.check import InfisicalCheck
from adapters.infisical.client import InfisicalApi
from adapters.infisical.protocol import is_api_answer
from adapters.infisical.settings import InfisicalSettings
from adapters.infisical.store import InfisicalSecretStore
from adapters.infisical.webhook_signature import WebhookVerifier
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.login_peers import LoginPeers
from adapters.upstream.message import UpstreamRequest, UpstreamResponse
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.http_engine import FakeHttpEngine
from tests.support.infisical_generations import EARLY_2026, GENERATIONS, LATE_2026
from tests.support.infisical_model import CLIENT_ID, CLIENT_SECRET, PROJECT_ID, Call, InfisicalModel
from tests.support.settling import settle
from tests.unit.adapters.infisical.infisical_webhooks import NOW_MS, SECRET_KEY

if TYPE_CHECKING:
    from domain.model.secret import Secret
    from tests.support.infisical_generations import Generation


CONFIG = InfisicalSettings(
    client_id=CLIENT_ID,
    client_secret=SecretStr(CLIENT_SECRET),
    project_id=PROJECT_ID,
    base_url="https://infisical.test",
)


def unreachable(kind: str = "ConnectError", *, never_sent: bool = True) -> TransportError:
    return TransportError(Failure.UNREACHABLE, kind, never_sent=never_sent)


def timed_out() -> TransportError:
    return TransportError(Failure.TIMED_OUT, "ReadTimeout")


@dataclass
class World:
    """Everything a test of the adapter touches.

    Attributes:
        connection_faults: raised instead of answering the next secret reads.
        gate: calls of any kind wait here while it is cleared.
    """

    model: InfisicalModel
    clock: FakeClock
    config: InfisicalSettings
    api: InfisicalApi
    store: InfisicalSecretStore
    check: InfisicalCheck
    connection_faults: list[TransportError]
    gate: asyncio.Event

    async def get(self, key: str, version: str | None = None, *, seconds: float = 8.0) -> Secret:
        """Fetch a key within that many seconds of the fake clock."""
        location = self.store.locate(SecretReference(key))
        deadline = self.clock.monotonic() + seconds
        return await self.store.fetch(SecretQuery(location, version, CALLER, deadline))

    async def settle(self) -> None:
        """Let everything run that can without time passing."""
        await settle()

    async def respond(self, request: UpstreamRequest) -> UpstreamResponse | TransportError:
        """Answer from the model."""
        await self.gate.wait()
        headers = {name.lower(): text for name, text in request.headers.items()}
        target = request.url.removeprefix(self.config.base_url)
        call = Call(request.method, target, headers, request.body or b"")
        if call.method == "GET" and self.connection_faults:
            self.model.calls.append(call)
            return self.connection_faults.pop(0)
        result = self.model.answer(call)
        headers, body = result.encoded()
        return UpstreamResponse(result.status, headers, body)


@pytest.fixture
def config() -> InfisicalSettings:
    """The configuration; a module overrides this fixture to change it."""
    return CONFIG


@pytest.fixture(params=GENERATIONS, ids=lambda generation: generation.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    """Every promise runs against each generation; a module overrides this to narrow or widen it."""
    given: Generation = request.param
    return given


with_v4 = pytest.mark.parametrize(
    "generation", [EARLY_2026, LATE_2026], ids=lambda generation: generation.name
)
"""For tests that count calls, or answer them in turn: to find the older route is a call more."""


@pytest_asyncio.fixture
async def world(config: InfisicalSettings, generation: Generation) -> AsyncIterator[World]:
    """The adapter, built for `config`, over a model with the configured folder."""
    clock = FakeClock()

    worlds: list[World] = []

    async def respond(request: UpstreamRequest) -> UpstreamResponse | TransportError:
        return await worlds[0].respond(request)

    http = UpstreamHttp(
        config.upstream("wasmcloud-secrets/9.9.9"),
        clock,
        lambda: 0.0,
        is_api_answer=is_api_answer,
        engine=FakeHttpEngine(respond),
    )
    api = InfisicalApi(
        config,
        http,
        clock,
        lambda: 0.0,
        guard=LockoutGuard(config.lockout, clock, lambda: 0.0),
        peers=LoginPeers(None, "", clock, lambda: 0.0),
    )
    world = World(
        model=InfisicalModel(generation),
        clock=clock,
        config=config,
        api=api,
        store=InfisicalSecretStore(config, api),
        check=InfisicalCheck(config, api, clock),
        connection_faults=[],
        gate=asyncio.Event(),
    )
    world.gate.set()
    worlds.append(world)
    yield world
    await world.api.aclose()


ChangeConfig = Callable[..., InfisicalSettings]


@pytest.fixture
def change_config() -> ChangeConfig:
    """Make variants of the configuration."""

    def change(**changes: object) -> InfisicalSettings:
        given = {name: getattr(CONFIG, name) for name in CONFIG.model_fields_set}
        return InfisicalSettings.model_validate(given | changes)

    return change


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW_MS / 1000)


@pytest.fixture
def verifier(clock: FakeClock) -> WebhookVerifier:
    return WebhookVerifier(SECRET_KEY, clock)
