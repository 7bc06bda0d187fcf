"""A store behind a breaker is a store like any other."""

from __future__ import annotations

import pytest
from typing_extensions import override

from adapters.breaker.circuit import BreakerConfig
from adapters.breaker.store import BreakingSecretStore
from tests.contracts.fake_outages import FakeOutages
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore


class TestBreakingStore(FakeOutages):
    @pytest.fixture(autouse=True)
    def over_the_fake(self) -> None:
        self.clock = FakeClock()
        self.inner = FakeSecretStore(("prod", "dev"))
        self.breaking = BreakingSecretStore(self.inner, BreakerConfig(), self.clock, lambda: 0.0)

    @override
    def store(self) -> BreakingSecretStore:
        return self.breaking

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return self.inner.put("/" + key, value)

    @override
    def deadline(self) -> float:
        return self.clock.monotonic() + 10
