"""The plug-in with real time and real sockets, against local servers that speak as Vault does."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from adapters.system.clock import SystemClock
from adapters.vault.plugin import PLUGIN
from adapters.vault.settings import VaultSettings
from bootstrap.settings.variables import Variables
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.store_context import FakeStoreContext
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.support.vault_server import VaultServer

if TYPE_CHECKING:
    import pytest

    from domain.model.identity import Caller
    from domain.model.secret import Secret
    from ports.store_plugin import StoreParts

APPROLE = {"VAULT_LOGIN": "approle", "VAULT_ROLE_ID": ROLE_ID, "VAULT_SECRET_ID": SECRET_ID}


@dataclass(frozen=True, slots=True)
class Adapter:
    """The parts of the plug-in, as the service has them."""

    parts: StoreParts
    clock: SystemClock

    async def get(
        self,
        key: str,
        version: str | None = None,
        *,
        seconds: float = 8.0,
        caller: Caller = CALLER,
        **properties: str,
    ) -> Secret:
        """Fetch a key within that many seconds."""
        location = self.parts.store.locate(SecretReference(key, properties))
        deadline = self.clock.monotonic() + seconds
        return await self.parts.store.fetch(SecretQuery(location, version, caller, deadline))

    async def text(self, key: str, **given: Any) -> str | bytes:
        """Fetch the latest value of a key."""
        return (await self.get(key, **given)).value.reveal()


OpenAdapter = Callable[..., Adapter]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[VaultServer]:
    async with VaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def open_adapter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAdapter]:
    """Build adapters for an address and further variables; they are closed after the test."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with AsyncExitStack() as stack:

        def build(address: str, **variables: str) -> Adapter:
            login = {} if "VAULT_LOGIN" in variables else APPROLE
            settings = Variables({"VAULT_ADDR": address, **login, **variables}).load(VaultSettings)
            clock = SystemClock()
            parts = PLUGIN.build(settings, FakeStoreContext(clock=clock, jitter=random.random))
            stack.push_async_callback(parts.close)
            return Adapter(parts, clock)

        yield build
