"""The adapter with real time and real sockets, against local servers that speak as Infisical."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from adapters.infisical.check import InfisicalCheck
from adapters.infisical.client import InfisicalApi
from adapters.infisical.protocol import is_api_answer
from adapters.infisical.settings import InfisicalSettings
from adapters.infisical.store import InfisicalSecretStore
from adapters.system.clock import SystemClock
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.login_peers import LoginPeers
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.support.infisical_generations import GENERATIONS
from tests.support.infisical_model import CLIENT_ID, CLIENT_SECRET, PROJECT_ID

if TYPE_CHECKING:
    from domain.model.secret import Secret
    from tests.support.infisical_generations import Generation


@dataclass(frozen=True, slots=True)
class Adapter:
    """The store and the check, sharing one client as they do in the service."""

    store: InfisicalSecretStore
    check: InfisicalCheck
    clock: SystemClock

    async def get(self, key: str, version: str | None = None, *, seconds: float = 10.0) -> Secret:
        """Fetch a key within that many seconds."""
        location = self.store.locate(SecretReference(key))
        deadline = self.clock.monotonic() + seconds
        return await self.store.fetch(SecretQuery(location, version, CALLER, deadline))


OpenAdapter = Callable[..., Adapter]


@pytest.fixture(params=GENERATIONS, ids=lambda generation: generation.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    """Each generation of servers, for the suites that cost no process."""
    given: Generation = request.param
    return given


@pytest_asyncio.fixture
async def open_adapter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAdapter]:
    """Build adapters for a base URL and further settings; they are closed after the test."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with AsyncExitStack() as stack:

        def build(base_url: str, **settings: Any) -> Adapter:
            usual = {
                "client_id": CLIENT_ID,
                "client_secret": SecretStr(CLIENT_SECRET),
                "project_id": PROJECT_ID,
                "base_url": base_url,
            }
            config = InfisicalSettings.model_validate(usual | settings)
            clock = SystemClock()
            http = UpstreamHttp(
                config.upstream("tests"), clock, lambda: 0.0, is_api_answer=is_api_answer
            )
            api = InfisicalApi(
                config,
                http,
                clock,
                lambda: 0.0,
                guard=LockoutGuard(config.lockout, clock, lambda: 0.0),
                peers=LoginPeers(None, "", clock, lambda: 0.0),
            )
            store = InfisicalSecretStore(config, api)
            stack.push_async_callback(api.aclose)
            return Adapter(store, InfisicalCheck(config, api, clock), clock)

        yield build
