"""The fake store does what every store does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.model.reference import SecretReference
from tests.contracts.fake_outages import FakeOutages
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from ports.secret_store import SecretStore


class TestFakeSecretStore(FakeOutages):
    @pytest.fixture(autouse=True)
    def fresh_store(self) -> None:
        self._store = self.inner = FakeSecretStore()
        self.clock = FakeClock()

    @override
    def store(self) -> SecretStore:
        return self._store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return self._store.put(self._store.locate(SecretReference(key)).path, value)

    @override
    def deadline(self) -> float:
        return self.clock.monotonic() + 8
