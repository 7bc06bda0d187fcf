"""A cache over the fake store, with time and chance in the test's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.upstream.bounded_store import BoundedSecretStore
from domain.model.errors import StoreUnavailable
from domain.model.reference import SecretLocation, SecretQuery
from domain.use_cases.fetch_secret import fetch_by_deadline
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from domain.model.identity import Caller
    from domain.model.secret import Secret

PATH = "/payments/API_KEY"
OUTAGE = "store_unreachable"
TIMEOUT = 8.0


def place(path: str = PATH, environment: str = "prod") -> SecretLocation:
    return SecretLocation(path, (("environment", environment),))


def unreachable() -> StoreUnavailable:
    return StoreUnavailable(
        "The store cannot be reached.", reason=OUTAGE, upstream_request_id="u-1"
    )


def whole_caller(caller: Caller) -> Hashable:
    """Partition by everything that a caller is."""
    return caller


class Rig:
    """Attributes: `draw`, what the jitter gives."""

    def __init__(
        self,
        config: CacheConfig | None = None,
        *,
        partition: Callable[[Caller], Hashable] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.inner = FakeSecretStore(("prod", "dev"))
        self.draw = 0.0
        self.cache = CachedSecretStore(
            BoundedSecretStore(self.inner, self.clock),
            config or CacheConfig(),
            self.clock,
            lambda: self.draw,
            partition=partition,
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
        return await self.request(self.query(path, version))

    async def request(self, query: SecretQuery) -> Secret:
        """Fetch as the core does, which ends the wait at the query's deadline."""
        return await fetch_by_deadline(self.cache, query, self.clock)

    async def text(self, path: str = PATH, version: str | None = None) -> tuple[str, object]:
        """Return where the answer came from, and the value."""
        secret = await self.fetch(path, version)
        return secret.source, secret.value.reveal()
