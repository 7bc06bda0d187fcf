"""What is read from the parts at each scrape."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.access_policy.problems import PolicyProblem
from adapters.access_policy.status import PolicyStatus
from adapters.admin_http.readiness import Finding
from adapters.breaker.circuit import State
from adapters.breaker.store import BreakerState
from adapters.metrics.worker_end import WorkerEnd
from ports.plugin import Sample
from tests.unit.adapters.metrics.replica import Replica

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_transport_and_the_connection_are_read_at_the_scrape() -> None:
    replica = Replica()
    assert replica.value("requests_in_flight") == 0
    assert replica.value("nats_connected") == 1

    replica.transport.in_flight, replica.transport.dropped = 7, 2
    replica.connection.is_connected = False

    assert replica.value("requests_in_flight") == 7
    assert replica.value("requests_in_flight_limit") == 8192
    assert replica.value("requests_dropped_total") == 2
    assert replica.value("nats_connected") == 0


def test_every_audit_sink_is_read_by_its_name() -> None:
    replica = Replica()
    replica.sink.waiting, replica.sink.dropped, replica.sink.failing = 40, 3, True
    replica.audit.full = True

    assert replica.value("audit_events_waiting", sink="file") == 40
    assert replica.value("audit_events_dropped_total", sink="file") == 3
    assert replica.value("audit_sink_failing", sink="file") == 1
    assert replica.value("audit_accepting") == 0


def test_the_policy_in_force_is_described() -> None:
    replica = Replica()

    assert replica.value("access_policy_loaded") == 1
    assert replica.value("access_policy_refused") == 0
    assert replica.value("access_policy_loaded_timestamp_seconds") == 1_800_000_000.0
    assert replica.value("access_policy_issuers") == 2
    assert replica.value("access_policy_grants") == 5
    assert replica.value("access_policy_denials") == 1


@pytest.mark.parametrize(
    ("state", "is_open"), [(State.CLOSED, 0), (State.OPEN, 1), (State.HALF_OPEN, 1)]
)
def test_a_store_that_is_left_alone_shows(state: State, is_open: int) -> None:
    replica = Replica()

    replica.breaker.counts = BreakerState(state, 1000.0, opened_count=2, refused_count=30)

    assert replica.value("store_circuit_open") == is_open
    assert replica.value("store_circuit_opened_total") == 2
    assert replica.value("store_circuit_refused_total") == 30


def test_the_time_that_hosts_were_frozen_is_shown() -> None:
    replica = Replica()

    assert replica.value("hosts_frozen_seconds_total") == 7.5
    assert replica.value("host_waits_cut_short_total") == 3


def test_a_policy_that_never_loaded_has_no_time_of_loading() -> None:
    replica = Replica()
    replica.policy.status = PolicyStatus(mistakes=(PolicyProblem(1, "", "mend it"),))

    assert replica.value("access_policy_loaded") == 0
    assert replica.value("access_policy_refused") == 1
    assert replica.value("access_policy_loaded_timestamp_seconds") is None


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("cache_lookups_total", {"result": "hit"}, 1),
        ("cache_lookups_total", {"result": "miss"}, 2),
        ("cache_lookups_total", {"result": "shared"}, 3),
        ("cache_lookups_total", {"result": "remembered"}, 4),
        ("cache_stale_total", {}, 5),
        ("cache_refreshes_total", {}, 6),
        ("cache_evictions_total", {}, 7),
        ("cache_flushed_total", {}, 8),
        ("cache_entries", {}, 9),
        ("cache_bytes", {}, 10),
        ("requests_waiting", {}, 11),
        ("requests_waiting_limit", {}, 12),
        ("requests_waiting_refused_total", {}, 13),
    ],
)
def test_the_caches_counts_are_shown(name: str, labels: dict[str, str], value: int) -> None:
    replica = Replica()
    replica.cache.counts = replace(
        replica.cache.counts,
        hits=1,
        misses=2,
        shared=3,
        negative_hits=4,
        stale=5,
        refreshes=6,
        evictions=7,
        flushed=8,
        entries=9,
        bytes=10,
        waiting=11,
        waiting_limit=12,
        refused=13,
    )

    assert replica.value(name, **labels) == value


def test_the_last_verdicts_of_the_readiness_checks_are_shown() -> None:
    replica = Replica()
    replica.readiness.note("store", Finding(ok=False))
    replica.clock.advance(12.0)

    assert replica.value("readiness_check_ok", check="store") == 0
    assert replica.value("readiness_check_age_seconds", check="store") == 12.0


def test_restarts_are_shown_by_how_the_worker_before_ended_and_begin_at_zero() -> None:
    replica = Replica()

    counts = {
        end: replica.value("worker_restarts_total", worker="1", ended=end) for end in WorkerEnd
    }
    assert counts == dict.fromkeys(WorkerEnd, 0) | {WorkerEnd.KILLED: 2}


def broken() -> list[Sample]:
    raise ValueError("canary")


@pytest.mark.parametrize(
    "source",
    [
        broken,
        lambda: [Sample("Bad name", "Is unreadable.", 1)],
        lambda: [Sample("folder_files", "Has a bad label.", 1, (("le-gal", "x"),))],
        lambda: [Sample("folder_files", "Has a label twice.", 1, (("a", "x"), ("a", "y")))],
        lambda: [Sample("folder_files", "Is of no kind.", 1, kind="guess")],
    ],
)
def test_a_store_whose_samples_cannot_be_read_takes_no_other_from_the_scrape(
    source: Callable[[], list[Sample]],
) -> None:
    replica = Replica()
    replica.metrics.watch(source)

    with capture_logs() as log:
        text = replica.metrics.render().decode()

    assert "wasmcloud_secrets_nats_connected 1.0" in text
    assert "wasmcloud_secrets_folder" not in text
    assert [entry["log_level"] for entry in log] == ["error"]
    assert "canary" not in str(log)


def test_samples_of_a_store_are_shown_under_the_products_prefix() -> None:
    replica = Replica()
    buckets = ((0.5, 1), (math.inf, 3))
    replica.metrics.watch(
        lambda: [
            Sample("folder_files", "Files in the folder.", 7, (("kind", "text"),)),
            Sample("folder_files", "Files in the folder.", 2, (("kind", "binary"),)),
            Sample("folder_reads_total", "Reads so far.", 5, kind="counter"),
            Sample("folder_read_seconds", "Time of reads.", 4.5, (), "histogram", buckets),
        ]
    )

    assert replica.value("folder_files", kind="text") == 7
    assert replica.value("folder_files", kind="binary") == 2
    assert replica.value("folder_reads_total") == 5
    assert replica.value("folder_read_seconds_bucket", le="0.5") == 1
    assert replica.value("folder_read_seconds_count") == 3
    assert replica.value("folder_read_seconds_sum") == 4.5
