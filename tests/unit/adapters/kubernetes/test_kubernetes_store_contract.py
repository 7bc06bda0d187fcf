"""The store keeps the contract of all stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import SecretNotFound
from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

if TYPE_CHECKING:
    from ports.clock import Clock
    from ports.secret_store import SecretStore


class TestKubernetesSecretStore(SecretStoreContract):
    history = False

    @pytest.fixture(autouse=True)
    def _rig(self) -> None:
        self.rig = KubernetesRig()
        self.data: dict[str, dict[str, str | bytes]] = {}

    @override
    def store(self) -> SecretStore:
        return self.rig.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        name, _, value_key = key.partition("/")
        data = self.data.setdefault(name, {})
        data[value_key] = value
        return self.rig.model.put("shop", name, data)

    @override
    def deadline(self) -> float:
        return self.rig.clock.monotonic() + 8.0

    @override
    async def silence(self) -> Clock:
        self.rig.gate.clear()
        return self.rig.clock

    @override
    async def outage(self) -> None:
        self.rig.failures += [TransportError(Failure.UNREACHABLE, OUTAGE_TEXT)] * 20

    @override
    async def pass_time(self, seconds: float) -> None:
        await self.rig.settle()
        self.rig.clock.advance(seconds)
        await self.rig.settle()

    @override
    async def test_a_version_of_another_secret_is_not_found(self) -> None:
        # A version is the Secret's, so keys inside one share it: two Secrets are needed.
        await self.put("one/key", "1")
        await self.put("two/key", "1")
        other = await self.put("two/key", "2")

        with pytest.raises(SecretNotFound):
            await self.get("one/key", other)
