"""What requests show of the store, and what a check at the start leaves for probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.admin_http.checks import STORE_RETRY_SECONDS, store_check, store_finding
from adapters.admin_http.readiness import Disproof, Readiness
from adapters.metrics.registry import Metrics
from bootstrap.settings import Settings, SettingsError
from bootstrap.store_pipeline import LEFT_ALONE, StorePipeline
from bootstrap.tracing import NoTracing
from domain.model.errors import StoreUnavailable, UpstreamError
from domain.model.reference import SecretLocation, SecretQuery, SecretReference
from domain.model.selection import Selection
from ports.lateness import NotMeasured
from ports.store_check import StoreLimitedError, StoreUnreachableError
from ports.store_plugin import StoreParts
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.store_check import FakeStoreCheck
from tests.fakes.store_context import FakeStoreContext

if TYPE_CHECKING:
    from adapters.admin_http.readiness import Verdict

DOWN = StoreUnavailable("Down.", reason="down")
PROD = (("environment", "prod"),)
ADVICE = "The store is away; check it."


class Layers:
    """A store that fails as a test says, with all that stands around it but a cache."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeSecretStore()
        self.check = FakeStoreCheck([StoreUnreachableError(ADVICE)])
        self.problem: str | None = None
        self.pipeline = StorePipeline(
            StoreParts(self.store, self.check, problem=lambda: self.problem),
            Settings(),
            Metrics(self.clock, version="1", store="infisical"),
            NoTracing(),
            self.clock,
            lateness=NotMeasured(),
            context=FakeStoreContext(),
        )
        self.breaker = self.pipeline.breaker
        self.readiness = Readiness(
            [
                store_check(
                    self.check,
                    lambda: True,
                    proof=self.pipeline.proof,
                    disproof=self.pipeline.disproof,
                )
            ],
            self.clock,
        )

    def store_checked(self, error: Exception | None) -> None:
        """Note what the check at the start came to."""
        self.readiness.note("store", store_finding(error))

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
    assert layers.pipeline.disproof() is None
    layers.store.failure = DOWN

    await layers.get("one")

    assert layers.pipeline.disproof() == Disproof(layers.clock.monotonic(), "")


async def test_a_store_that_is_left_alone_is_not_ready_at_once_and_until_it_answers() -> None:
    layers = Layers()
    layers.store_checked(None)
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
    assert layers.pipeline.disproof() is None
    assert (await layers.verdict()).ok


async def test_a_store_that_nobody_asks_any_more_is_ready_once_its_check_passes() -> None:
    layers = Layers()
    layers.store.failure = DOWN
    for number in range(8):
        await layers.get(f"key-{number}")
    layers.clock.advance(1)

    layers.store_checked(None)

    assert (await layers.verdict()).ok


async def test_what_the_check_at_the_start_found_stands_for_the_first_probes() -> None:
    layers = Layers()

    layers.store_checked(StoreUnreachableError("Start it."))
    assert (await layers.verdict()).advice == "Start it."

    layers.store_checked(StoreLimitedError("It limits the rate."))
    verdict = await layers.verdict()
    assert (verdict.ok, verdict.advice) == (True, "It limits the rate.")

    layers.store_checked(None)
    assert (await layers.verdict()).ok
    assert layers.check.calls == 0


async def test_a_store_without_metrics_shows_nothing() -> None:
    parts = StoreParts(FakeSecretStore(), FakeStoreCheck())
    pipeline = StorePipeline(
        parts,
        Settings(),
        None,
        NoTracing(),
        FakeClock(),
        lateness=NotMeasured(),
        context=FakeStoreContext(),
    )

    assert pipeline.proof() is None
    assert pipeline.disproof() is None


async def test_what_the_store_itself_names_as_a_problem_counts_as_long_as_it_lasts() -> None:
    layers = Layers()
    layers.store_checked(None)
    assert (await layers.verdict()).ok

    layers.problem = "The login is refused; check the secret."
    layers.clock.advance(1)
    verdict = await layers.verdict()
    assert (verdict.ok, verdict.advice) == (False, layers.problem)

    layers.problem = None
    assert (await layers.verdict()).ok


@pytest.mark.parametrize(
    ("selection", "forgotten"),
    [
        (Selection.everything(), 3),
        (Selection.everything((("environment", "dev"),)), 0),
        (Selection.below("/payments"), 2),
        (Selection.below("/payments", PROD), 2),
        (Selection.one("/payments/KEY"), 1),
        (Selection.one("/payments/KEY", PROD), 1),
        (Selection.one("/payments"), 2),
    ],
)
async def test_what_is_selected_is_forgotten_and_counted(
    selection: Selection, forgotten: int
) -> None:
    layers = Layers()
    for path in ("/payments/KEY", "/payments/live/KEY", "/paymentsKEY"):
        layers.store.put(path, "value")
        location = SecretLocation(path, PROD)
        deadline = layers.clock.monotonic() + 8
        await layers.pipeline.cache.fetch(SecretQuery(location, None, CALLER, deadline))

    assert layers.pipeline.forget(selection) == forgotten
    assert layers.pipeline.cache.statistics().entries == 3 - forgotten


def rechecked(parts: StoreParts) -> StorePipeline:
    """A pipeline with a recheck of 30 reads a minute."""
    return StorePipeline(
        parts,
        Settings(cache_recheck_seconds=60),
        None,
        NoTracing(),
        FakeClock(),
        lateness=NotMeasured(),
        context=FakeStoreContext(workers=4),
    )


async def test_without_a_recheck_nothing_runs_in_the_background() -> None:
    assert Layers().pipeline.recheck_run is None


async def test_a_recheck_shows_its_figures_and_hears_of_notices() -> None:
    store = FakeSecretStore()
    store.put("/a", "1")
    pipeline = rechecked(StoreParts(store, FakeStoreCheck()))
    await pipeline.cache.fetch(SecretQuery(SecretLocation("/a", PROD), None, CALLER, 1e12))

    assert pipeline.recheck_run is not None
    figures = {sample.name: sample.value for sample in pipeline.samples()}
    assert figures["cache_recheck_secrets"] == 1
    assert pipeline.forget(Selection.one("/a")) == 1


async def test_a_store_that_answers_callers_apart_has_no_recheck() -> None:
    parts = StoreParts(FakeSecretStore(), FakeStoreCheck(), partition=lambda caller: caller)

    with pytest.raises(SettingsError, match="CACHE_RECHECK_SECONDS must be unset"):
        rechecked(parts)
