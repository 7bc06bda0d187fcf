"""The secret store contract over real sockets, for both versions of the key-value engine."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.model.json_field import select_field
from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract
from tests.support.infisical_model import Result
from tests.support.infisical_server import Break
from tests.support.vault_server import VaultServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.model.reference import SecretLocation
    from domain.model.secret import Secret
    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from tests.integration.vault.conftest import Adapter, OpenAdapter

FIELD = "value"


class VaultContract(SecretStoreContract):
    """A secret is an object; the contract's values are one field of it, selected by the core."""

    mount: str
    server: VaultServer
    adapter: Adapter

    @pytest.fixture(autouse=True)
    async def _open(self, open_adapter: OpenAdapter) -> AsyncIterator[None]:
        async with VaultServer() as server:
            self.server = server
            self.adapter = open_adapter(
                server.url, VAULT_MOUNT=self.mount, VAULT_SECRET_PATH="/base"
            )
            yield

    @override
    def store(self) -> SecretStore:
        return self.adapter.parts.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        path = f"base/{key}"
        if isinstance(value, str):
            return self.server.model.put(path, {FIELD: value}, mount=self.mount)
        encoded = base64.b64encode(value).decode()
        version = self.server.model.put(path, {FIELD: encoded}, mount=self.mount)
        self.server.model.secret(path, mount=self.mount).custom_metadata = {"encoding": "base64"}
        return version

    @override
    def deadline(self) -> float:
        return self.adapter.clock.monotonic() + 8.0

    @override
    async def silence(self) -> Clock:
        self.server.breaks = [Break.HANG] * 20
        return self.adapter.clock

    @override
    async def outage(self) -> None:
        self.server.answer = lambda _: Result(503, {"errors": [OUTAGE_TEXT]})

    @override
    async def fetch(self, location: SecretLocation, version: str | None = None) -> Secret:
        return select_field(await super().fetch(location, version), FIELD)


class TestVersionedVault(VaultContract):
    """A mount of version 2."""

    mount = "secret"


class TestUnversionedVault(VaultContract):
    """A mount of version 1: no old versions, and no metadata that could say what is binary."""

    mount = "kv1"
    binary = False
    history = False
