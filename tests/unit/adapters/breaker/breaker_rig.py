"""A breaker around a store that fails as a test says, on a clock that it moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.breaker.circuit import BreakerConfig, State
from adapters.breaker.store import BreakingSecretStore
from domain.model.errors import (
    CallWithheld,
    InvalidRequest,
    RateLimited,
    SecretsError,
    ServiceStarved,
    StoreBusy,
    StoreUnavailable,
)
from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.secret import Secret

DOWN = StoreUnavailable("It is down.", reason="down")
LIMITED = RateLimited("Later.", reason="limited")
UNASKED = (
    CallWithheld("Later."),
    StoreBusy("Later."),
    ServiceStarved("Late."),
    InvalidRequest("No."),
)


class Store(FakeSecretStore):
    """Attributes: `slow`, paths that answer nothing until `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self.release = asyncio.Event()

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        if query.location.path in self.slow:
            await self.release.wait()
            raise StoreUnavailable("Too slow.", reason="down")
        return await super().fetch(query)


class Rig:
    """A breaker over the fake store. Attributes: `draw`, what the jitter gives."""

    def __init__(self, config: BreakerConfig | None = None) -> None:
        self.clock = FakeClock()
        self.inner = Store()
        for name in "abcdefgh":
            self.inner.put(f"/{name}", "value")
        self.draw = 0.0
        self.store = BreakingSecretStore(
            self.inner,
            config or BreakerConfig(),
            self.clock,
            lambda: self.draw,
        )

    def state(self) -> State:
        return self.store.state().state

    async def get(self, name: str = "a", seconds: float = 8.0) -> Secret:
        location = SecretLocation(f"/{name}", (("environment", "prod"),))
        deadline = self.clock.monotonic() + seconds
        return await self.store.fetch(SecretQuery(location, None, CALLER, deadline))

    async def fail(self, failure: SecretsError | None, names: str = "a") -> list[str]:
        """Ask once for each name, in turn, and return the reasons; None lets the store work."""
        self.inner.failure = failure
        reasons = []
        for name in names:
            try:
                await self.get(name)
                reasons.append("")
            except SecretsError as error:
                reasons.append(error.reason)
        return reasons

    async def open(self) -> None:
        await self.fail(DOWN, "abcab")
        assert self.state() is State.OPEN
