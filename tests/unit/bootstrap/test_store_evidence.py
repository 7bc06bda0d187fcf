"""What requests show of the store, and what a check at the start leaves for probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.admin_http.checks import STORE_RETRY_SECONDS, store_check
from adapters.admin_http.readiness import Disproof, Readiness
from adapters.breaker.config import BreakerConfig
from adapters.breaker.store import BreakingSecretStore
from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.infisical.client import InfisicalApi
from adapters.infisical.config import InfisicalConfig
from adapters.infisical.exchange import build_client
from adapters.metrics.registry import Metrics
from adapters.metrics.secret_store import MeteredSecretStore
from bootstrap.admin_parts import AdminParts
from bootstrap.factories.store_evidence import LEFT_ALONE, StoreEvidence
from bootstrap.store_parts import StoreParts, StoreStack
from domain.model.errors import StoreUnavailable, UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from ports.store_check import StoreLimitedError, StoreUnreachableError
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck

if TYPE_CHECKING:
    from adapters.admin_http.readiness import Verdict

DOWN = StoreUnavailable("Down.", reason="down")
ADVICE = "The store is away; check it."


class Layers:
    """A store that fails as a test says, with all that stands around it but a cache."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeSecretStore()
        self.check = FakeStoreCheck([StoreUnreachableError(ADVICE)])
        metrics = Metrics(self.clock, version="1", store="infisical")
        metered = MeteredSecretStore(self.store, metrics, self.clock)
        self.breaker = BreakingSecretStore(metered, BreakerConfig(), self.clock, lambda: 0.0)
        cache = CachedSecretStore(self.breaker, CacheConfig(), self.clock, lambda: 0.0)
        stack = StoreStack(
            cache, StoreParts(self.store, self.check), breaker=self.breaker, metered=metered
        )
        self.evidence = StoreEvidence(stack, self.clock)
        evidence = self.evidence
        check = store_check(
            self.check, lambda: True, proof=evidence.proof, disproof=evidence.disproof
        )
        self.readiness = Readiness([check], self.clock)
        self.admin = AdminParts(readiness=self.readiness)

    async def get(self, key: str) -> None:
        """Ask for a secret past the cache, whatever comes of it."""
        location = self.store.locate(SecretReference(key))
        deadline = self.clock.monotonic() + 8
        with pytest.raises(UpstreamError):
            await self.breaker.fetch(SecretQuery(location, None, CALLER, deadline))

    async def verdict(self) -> Verdict:
        return (await self.readiness.report())["store"]


async def test_a_single_call_that_failed_is_a_reason_to_look_and_says_nothing_by_itself() -> None:
    layers = Layers()
    assert layers.evidence.disproof() is None
    layers.store.failure = DOWN

    await layers.get("one")

    assert layers.evidence.disproof() == Disproof(layers.clock.monotonic(), "")


async def test_a_store_that_is_left_alone_is_not_ready_at_once_and_until_it_answers() -> None:
    layers = Layers()
    layers.admin.store_checked(None)
    layers.clock.advance(1)
    assert (await layers.verdict()).ok
    layers.store.failure = DOWN

    for number in range(8):
        await layers.get(f"key-{number}")

    verdict = await layers.verdict()
    assert (verdict.ok, verdict.advice) == (False, LEFT_ALONE)
    assert layers.check.calls == 0
    layers.clock.advance(STORE_RETRY_SECONDS)
    assert (await layers.verdict()).advice == ADVICE

    layers.store.failure = None
    layers.store.put("/key", "value")
    layers.clock.advance(5)
    location = layers.store.locate(SecretReference("key"))
    deadline = layers.clock.monotonic() + 8
    await layers.breaker.fetch(SecretQuery(location, None, CALLER, deadline))
    assert layers.evidence.disproof() is None
    assert (await layers.verdict()).ok


async def test_a_store_that_nobody_asks_any_more_is_ready_once_its_check_passes() -> None:
    layers = Layers()
    layers.store.failure = DOWN
    for number in range(8):
        await layers.get(f"key-{number}")
    layers.clock.advance(1)

    layers.admin.store_checked(None)

    assert (await layers.verdict()).ok


async def test_what_the_check_at_the_start_found_stands_for_the_first_probes() -> None:
    layers = Layers()

    layers.admin.store_checked(StoreUnreachableError("Start it."))
    assert (await layers.verdict()).advice == "Start it."

    layers.admin.store_checked(StoreLimitedError("It limits the rate."))
    verdict = await layers.verdict()
    assert (verdict.ok, verdict.advice) == (True, "It limits the rate.")

    layers.admin.store_checked(None)
    assert (await layers.verdict()).ok
    assert layers.check.calls == 0


async def test_without_pages_nobody_takes_what_a_check_found() -> None:
    AdminParts().store_checked(None)


async def test_a_store_without_metrics_shows_nothing() -> None:
    store, clock = FakeSecretStore(), FakeClock()
    cache = CachedSecretStore(store, CacheConfig(), clock, lambda: 0.0)
    evidence = StoreEvidence(StoreStack(cache, StoreParts(store, FakeStoreCheck())), clock)

    assert evidence.proof() is None
    assert evidence.disproof() is None


async def test_an_infisical_that_was_asked_for_nothing_yet_speaks_against_nothing() -> None:
    store, clock = FakeSecretStore(), FakeClock()
    config = InfisicalConfig(
        client_id=SecretStr("id"), client_secret=SecretStr("secret"), project_id="p"
    )
    api = InfisicalApi(config, build_client(config), clock, lambda: 0.0)
    parts = StoreParts(store, FakeStoreCheck(), infisical=api)
    cache = CachedSecretStore(store, CacheConfig(), clock, lambda: 0.0)
    evidence = StoreEvidence(StoreStack(cache, parts), clock)

    assert evidence.disproof() is None
    for _ in range(2):
        api.login_refused_elsewhere()

    disproof = evidence.disproof()
    assert disproof is not None
    assert "INFISICAL_CLIENT_ID" in disproof.advice
    await api.aclose()
