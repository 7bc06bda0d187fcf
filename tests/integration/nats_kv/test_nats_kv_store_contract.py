"""The secret store's contract, on a real bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.system.clock import SystemClock
from tests.contracts.secret_store import SecretStoreContract

if TYPE_CHECKING:
    from ports.secret_store import SecretStore
    from tests.integration.nats_kv.kv_under_test import Kv


class TestNatsKvSecretStore(SecretStoreContract):
    @pytest.fixture(autouse=True)
    async def _on(self, kv: Kv) -> None:
        await kv.check.check()
        self._store = kv.store
        self._writer = kv.writer

    @override
    def store(self) -> SecretStore:
        return self._store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return await self._writer.put(key, value)

    @override
    def deadline(self) -> float:
        return SystemClock().monotonic() + 5


class TestNatsKvSecretStoreThroughTheLeader(TestNatsKvSecretStore):
    """The same where messages cannot be had directly: a bucket of an older server."""

    @pytest.fixture(autouse=True)
    @override
    async def _on(self, kv: Kv) -> None:
        await kv.jetstream.add_stream(
            name=f"KV_{kv.config.bucket}",
            subjects=[f"$KV.{kv.config.bucket}.>"],
            max_msgs_per_subject=64,
            allow_rollup_hdrs=True,
        )
        self._store = kv.store
        self._writer = kv.writer
