"""How a suite over `FakeSecretStore` lets it hang and fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.errors import StoreUnavailable
from tests.contracts.secret_store import SecretStoreContract
from tests.support.settling import settle

if TYPE_CHECKING:
    from tests.fakes.clock import FakeClock
    from tests.fakes.secret_store import FakeSecretStore


class FakeOutages(SecretStoreContract):
    """The contract with outages of `inner`, on `clock`."""

    inner: FakeSecretStore
    clock: FakeClock

    @override
    async def silence(self) -> FakeClock:
        self.inner.gate.clear()
        return self.clock

    @override
    async def outage(self) -> None:
        self.inner.failure = StoreUnavailable("The store is down; check its health.", reason="down")

    @override
    async def pass_time(self, seconds: float) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()
