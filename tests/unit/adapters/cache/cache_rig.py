"""A cache over the fake store, with time and chance in the test's hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from domain.model.errors import UpstreamError
from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.identity import Caller
    from domain.model.secret import Secret

PATH = "/payments/API_KEY"
OUTAGE = "store_unreachable"
TIMEOUT = 8.0


def place(path: str = PATH, environment: str = "prod") -> SecretLocation:
    return SecretLocation(path, (("environment", environment),))


def unreachable() -> UpstreamError:
    return UpstreamError("The store cannot be reached.", reason=OUTAGE, upstream_request_id="u-1")


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class Rig:
    """Attributes: `draw`, what the jitter gives."""

    def __init__(self, config: CacheConfig | None = None, *, per_caller: bool = False) -> None:
        self.clock = FakeClock()
        self.inner = FakeSecretStore(("prod", "dev"))
        self.draw = 0.0
        self.cache = CachedSecretStore(
            self.inner,
            config or CacheConfig(),
            self.clock,
            lambda: self.draw,
            per_caller=per_caller,
            outages=frozenset({OUTAGE}),
        )

    @property
    def calls(self) -> int:
        return len(self.inner.queries)

    def query(
        self,
        path: str = PATH,
        version: str | None = None,
        *,
        environment: str = "prod",
        caller: Caller = CALLER,
        timeout_seconds: float = TIMEOUT,
    ) -> SecretQuery:
        deadline = self.clock.monotonic() + timeout_seconds
        return SecretQuery(place(path, environment), version, caller, deadline)

    async def fetch(self, path: str = PATH, version: str | None = None) -> Secret:
        return await self.cache.fetch(self.query(path, version))

    async def text(self, path: str = PATH, version: str | None = None) -> tuple[str, object]:
        """Return where the answer came from, and the value."""
        secret = await self.fetch(path, version)
        return secret.source, secret.value.reveal()
