"""The secret store's contract, on a real bucket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import nats
import pytest
from typing_extensions import override

from adapters.system.clock import SystemClock
from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.msg import Msg

    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats_kv.kv_under_test import Kv


class TestNatsKvSecretStore(SecretStoreContract):
    @pytest.fixture(autouse=True)
    async def _mute(self, start_nats_server: StartNatsServer, kv: Kv) -> AsyncIterator[None]:
        """A server without JetStream, where the test answers in its place or does not."""
        server = await start_nats_server()
        self._mute_client = await nats.connect(server.url)
        self._mute_store = replace(kv, client=self._mute_client).store
        yield
        await self._mute_client.close()

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

    @override
    async def silence(self) -> Clock:
        await self._answer_with(None)
        return SystemClock()

    @override
    async def outage(self) -> None:
        await self._answer_with({"Status": "503", "Description": OUTAGE_TEXT})

    async def _answer_with(self, headers: dict[str, str] | None) -> None:
        async def answer(message: Msg) -> None:
            if headers is not None:
                await self._mute_client.publish(message.reply, headers=headers)

        await self._mute_client.subscribe("$JS.API.>", cb=answer)
        await self._mute_client.flush()
        self._store = self._mute_store


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
