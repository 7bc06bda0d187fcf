"""Cache, limits, breaker, store and watch at a glance, from the samples that metrics have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.breaker.circuit import State
from adapters.breaker.store import BreakerState, breaker_samples
from adapters.cache.samples import cache_samples
from adapters.cache.statistics import CacheStatistics
from adapters.console.figures import Figures, ago, amount, clock, duration, moment, prose, size
from adapters.console.sources import Check
from adapters.console.store_health import Health, store_health
from adapters.metrics.registry import Metrics
from ports.plugin import Sample
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable


def figures(samples: Iterable[Sample]) -> Figures:
    metrics = Metrics(FakeClock(), version="1", store="x")
    kept = list(samples)
    metrics.watch(lambda: kept)
    return Figures(metrics.families, FakeClock())


def health(*samples: Sample, checks: Iterable[Check] = ()) -> dict[str, Health]:
    return {line.part: line for line in store_health(figures(samples), list(checks))}


@pytest.mark.parametrize(
    ("state", "word"), [(State.CLOSED, "closed"), (State.OPEN, "open"), (State.HALF_OPEN, "open")]
)
def test_the_breaker_is_open_or_closed(state: State, word: str) -> None:
    found = health(*breaker_samples(BreakerState(state, 0.0, 3, 12)))["Circuit breaker"]

    assert (found.state, found.ok) == (word, word == "closed")
    assert found.detail == "opened 3 times; 12 calls refused meanwhile"


def test_the_cache_says_what_it_holds_and_how_often_it_answers() -> None:
    counts = CacheStatistics(hits=3, misses=1, stale=2, entries=7, bytes=2048)

    found = health(*cache_samples(counts))["Cache"]

    assert found.state == "7 values"
    assert found.detail == "2.0 KiB; answered 75% of 4 lookups; 2 stale answers"


def test_an_unused_cache_divides_by_nothing() -> None:
    assert health()["Cache"].detail.startswith("0 bytes; answered no lookup yet")


@pytest.mark.parametrize(
    ("seconds", "state"), [(0.0, "free"), (12.5, "holding back"), (0.4, "holding back")]
)
def test_a_rate_limit_or_lockout_that_holds_calls_back_is_said(seconds: float, state: str) -> None:
    sample = Sample("vendor_pause_seconds", "Pause.", seconds, (("call", "login"),))

    found = health(sample)["Limits"]

    assert (found.state, found.ok) == (state, seconds == 0)
    assert ("calls login held back for" in found.detail) is bool(seconds)


def test_what_the_checks_say_of_the_store_comes_first() -> None:
    checks = [
        Check("nats", ok=False, advice="x", age_seconds=0),
        Check("store", ok=False, advice="Unseal it.", age_seconds=2),
        Check("store_task", ok=True, advice="", age_seconds=0.2),
    ]

    found = list(store_health(figures(()), checks))

    assert found[0] == Health("Store", "fails", ok=False, detail="Unseal it.")
    assert found[1].state == "runs"
    assert found[1].detail == "found just now"
    assert "nats" not in {line.part for line in found}


@pytest.mark.parametrize(("down", "state"), [(0.0, "up"), (75.0, "down")])
def test_a_watch_on_kubernetes_is_shown_where_there_is_one(down: float, state: str) -> None:
    samples = (
        Sample("kubernetes_watch_down_seconds", "Down.", down),
        Sample("kubernetes_watches", "Watches.", 2, (("state", "live"),)),
        Sample("kubernetes_watches", "Watches.", 1, (("state", "down"),)),
        Sample("kubernetes_watch_events_total", "Events.", 40, kind="counter"),
    )

    found = health(*samples)["Kubernetes watch"]

    assert (found.state, found.ok) == (state, down == 0)
    assert found.detail.endswith("2 watches live; 40 events")
    assert "Kubernetes watch" not in health()


def test_figures_are_read_once_a_second_at_most() -> None:
    asked, clock = [], FakeClock()

    def read() -> list[Sample]:
        asked.append(1)
        return []

    found = Figures(read, clock)  # type: ignore[arg-type]  # an empty list of anything
    found.now()
    found.now()
    clock.advance(1)
    found.now()

    assert len(asked) == 2


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("wasmcloud_secrets_cache_bytes", 1536, "1.5 KiB"),
        ("process_resident_memory_bytes", 3 * 1024**3, "3.0 GiB"),
        ("x_seconds", 0.0032, "3.2 ms"),
        ("x_seconds", 0, "0.0 s"),
        ("x_late_seconds_total", 65, "1 min 5 s"),
        ("x_seconds", 3 * 86400 + 4 * 3600 + 59, "3 d 4 h"),
        ("x_timestamp_seconds", 1_800_000_000, "2027-01-15 08:00:00 UTC"),
        ("x_timestamp_seconds", float("nan"), "unknown"),
        ("x_timestamp_seconds", 1e300, "unknown"),
        ("x_total", 1_234_567, "1,234,567"),
        ("x", 0.25, "0.25"),
    ],
)
def test_an_amount_has_the_unit_of_its_name(name: str, value: float, shown: str) -> None:
    assert amount(name, value) == shown


def test_times_are_read_as_people_write_them() -> None:
    assert (ago(0.4), ago(3.25)) == ("just now", "3.2 s ago")
    assert (duration(59.94), duration(3600), size(1023)) == ("59.9 s", "1 h 0 min", "1,023 bytes")
    assert (clock(float("inf")), moment(0)) == ("", "1970-01-01 00:00:00 UTC")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("compare `path` and `a_b`.", "compare <code>path</code> and <code>a_b</code>."),
        ("one ` alone", "one ` alone"),
        ("``", "``"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_backticks_mark_code_and_all_else_is_escaped(text: str, shown: str) -> None:
    assert prose(text) == shown
