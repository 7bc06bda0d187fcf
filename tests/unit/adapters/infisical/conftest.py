"""The adapter over a modelled Infisical, with time in the test's hand and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
import respx
from pydantic import SecretStr

from adapters.infisical.check import InfisicalCheck
from adapters.infisical.client import InfisicalApi
from adapters.infisical.config import InfisicalConfig
from adapters.infisical.exchange import build_client
from adapters.infisical.store import InfisicalSecretStore
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.support.infisical_model import (
    CLIENT_ID,
    CLIENT_SECRET,
    PROJECT_ID,
    Call,
    InfisicalModel,
)

if TYPE_CHECKING:
    from domain.model.secret import Secret

CONFIG = InfisicalConfig(
    client_id=SecretStr(CLIENT_ID),
    client_secret=SecretStr(CLIENT_SECRET),
    project_id=PROJECT_ID,
    base_url="https://infisical.test",
    user_agent="wasmcloud-secrets/9.9.9",
)


@dataclass
class World:
    """Everything a test of the adapter touches.

    Attributes:
        connection_faults: raised instead of answering the next secret reads.
        gate: calls of any kind wait here while it is cleared.
    """

    model: InfisicalModel
    clock: FakeClock
    config: InfisicalConfig
    api: InfisicalApi
    store: InfisicalSecretStore
    check: InfisicalCheck
    connection_faults: list[Exception]
    gate: asyncio.Event

    async def get(self, key: str, version: str | None = None, *, seconds: float = 8.0) -> Secret:
        """Fetch a key within that many seconds of the fake clock."""
        location = self.store.locate(SecretReference(key))
        deadline = self.clock.monotonic() + seconds
        return await self.store.fetch(SecretQuery(location, version, CALLER, deadline))

    async def settle(self) -> None:
        """Let everything run that can without time passing."""
        for _ in range(100):
            await asyncio.sleep(0)


def respond(world: World) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
    """Answer from the model."""

    async def handle(request: httpx.Request) -> httpx.Response:
        await world.gate.wait()
        headers = {name.lower(): text for name, text in request.headers.items()}
        call = Call(request.method, request.url.raw_path.decode(), headers, request.content)
        if call.method == "GET" and world.connection_faults:
            world.model.calls.append(call)
            raise world.connection_faults.pop(0)
        result = world.model.answer(call)
        headers, body = result.encoded()
        return httpx.Response(result.status, headers=headers, content=body)

    return handle


@pytest.fixture
def config() -> InfisicalConfig:
    """The configuration; a module overrides this fixture to change it."""
    return CONFIG


@pytest_asyncio.fixture
async def world(config: InfisicalConfig, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The adapter, built for `config`, over a model with the configured folder."""
    monkeypatch.setenv("NO_PROXY", "*")
    clock = FakeClock()
    api = InfisicalApi(config, build_client(config), clock, jitter=lambda: 0.0)
    world = World(
        model=InfisicalModel(),
        clock=clock,
        config=config,
        api=api,
        store=InfisicalSecretStore(config, api, clock),
        check=InfisicalCheck(config, api, clock),
        connection_faults=[],
        gate=asyncio.Event(),
    )
    world.gate.set()
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=respond(world))
        yield world
        await world.store.aclose()


ChangeConfig = Callable[..., InfisicalConfig]


@pytest.fixture
def change_config() -> ChangeConfig:
    """Make variants of the configuration."""
    return lambda **changes: replace(CONFIG, **changes)
