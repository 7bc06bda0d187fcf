"""The secret store contract over real sockets."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract
from tests.support.infisical_model import refusal
from tests.support.infisical_server import Break, InfisicalServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from tests.integration.infisical.conftest import Adapter, OpenAdapter
    from tests.support.infisical_generations import Generation


class TestInfisicalOverTheWire(SecretStoreContract):
    """A server behind a path, with relative keys below a configured folder."""

    server: InfisicalServer
    adapter: Adapter

    @pytest.fixture(autouse=True)
    async def _open(self, open_adapter: OpenAdapter, generation: Generation) -> AsyncIterator[None]:
        async with InfisicalServer(generation=generation) as server:
            self.server = server
            self.history = generation.honours_version
            self.adapter = open_adapter(f"{server.url}/api", secret_path="/base")
            server.model.folders.add(("prod", "/base/contract"))
            yield

    @override
    def store(self) -> SecretStore:
        return self.adapter.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        folder, _, name = key.rpartition("/")
        place = f"/base/{folder}"
        if isinstance(value, str):
            return self.server.model.put(name, value, folder=place)
        encoded = base64.b64encode(value).decode()
        metadata = [{"key": "encoding", "value": "base64"}]
        return self.server.model.put(name, encoded, folder=place, secretMetadata=metadata)

    @override
    def deadline(self) -> float:
        return self.adapter.clock.monotonic() + 8.0

    @override
    async def silence(self) -> Clock:
        self.server.breaks = [Break.HANG] * 20
        return self.adapter.clock

    @override
    async def outage(self) -> None:
        self.server.answer = lambda _: refusal(503, OUTAGE_TEXT, OUTAGE_TEXT)
