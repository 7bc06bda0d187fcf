"""Requests are counted by the events they end with, in labels that no request can choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.metrics.audit_trail import MAX_REASONS, MeteredAuditTrail
from adapters.metrics.catalogue import WATCHED_REASONS
from adapters.metrics.registry import Metrics
from domain.model.audit import Outcome, ServerKey
from tests.contracts.audit import ANSWERED, CALLER, REFUSED, AuditInMemoryContract
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.unit.adapters.metrics.replica import Replica

CANCELLED = replace(REFUSED, outcome=Outcome.CANCELLED, reason="cancelled", error=None)


class TestMeteredAuditTrail(AuditInMemoryContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self.inner = FakeAuditTrail()
        metrics = Metrics(FakeClock(), version="1", store="infisical")
        self.trail = MeteredAuditTrail(self.inner, metrics)


def test_it_accepts_what_the_trail_behind_it_accepts() -> None:
    replica = Replica()
    assert replica.trail.accepts()

    replica.audit.full = True

    assert not replica.trail.accepts()


def test_requests_are_counted_by_operation_outcome_and_error() -> None:
    replica = Replica()

    for event in (ANSWERED, ANSWERED, REFUSED, CANCELLED):
        replica.trail.record(event)

    def count(operation: str, outcome: str, error: str) -> float | None:
        return replica.value("requests_total", operation=operation, outcome=outcome, error=error)

    assert count("get", "answered", "none") == 2
    assert count("get", "refused", "DecryptionError") == 1
    assert count("get", "cancelled", "none") == 1


def test_requests_are_counted_by_the_server_key_they_were_sealed_for() -> None:
    replica = Replica()
    assert replica.value("requests_opened_total", server_key="retired") == 0

    for event in (
        replace(ANSWERED, server_key=ServerKey.CURRENT),
        replace(ANSWERED, server_key=ServerKey.RETIRED),
        replace(REFUSED, server_key=ServerKey.RETIRED),
        replace(REFUSED, server_key=None),
    ):
        replica.trail.record(event)

    assert replica.value("requests_opened_total", server_key="current") == 1
    assert replica.value("requests_opened_total", server_key="retired") == 2


def test_requests_are_counted_by_the_reason_of_their_end() -> None:
    replica = Replica()

    for event in (ANSWERED, REFUSED, replace(ANSWERED, reason="observed_no_grant")):
        replica.trail.record(event)

    def count(outcome: str, reason: str) -> float | None:
        return replica.value("request_reasons_total", outcome=outcome, reason=reason)

    assert count("answered", "granted") == 1
    assert count("refused", "decryption_failed") == 1
    assert count("answered", "observed_no_grant") == 1


def test_durations_are_told_apart_by_where_the_value_came_from() -> None:
    replica = Replica()

    replica.trail.record(replace(ANSWERED, duration=0.003, served_from="store"))
    replica.trail.record(replace(ANSWERED, duration=0.0004, served_from="cache"))
    replica.trail.record(replace(ANSWERED, duration=4.0, served_from="stale"))
    replica.trail.record(replace(REFUSED, duration=0.002))

    def duration(suffix: str, source: str, **labels: str) -> float | None:
        name = f"request_duration_seconds_{suffix}"
        return replica.value(name, operation="get", served_from=source, **labels)

    assert duration("sum", "store") == 0.003
    assert duration("bucket", "store", le="0.0025") == 0
    assert duration("bucket", "store", le="0.005") == 1
    assert duration("bucket", "cache", le="0.001") == 1
    assert duration("sum", "stale") == 4.0
    assert duration("count", "none") == 1


def test_errors_begin_at_zero_so_that_the_first_one_has_a_rate() -> None:
    errors = {
        dict(labels)["error"]
        for (name, labels), value in Replica().samples().items()
        if name == "wasmcloud_secrets_requests_total" and value == 0
    }

    assert {"none", "SecretNotFound", "Unauthorized", "UpstreamError", "Other"} <= errors


@pytest.mark.parametrize("reason", WATCHED_REASONS)
def test_the_first_refusal_that_an_alert_waits_for_is_an_increase(reason: str) -> None:
    replica = Replica()
    assert replica.value("request_reasons_total", outcome="refused", reason=reason) == 0

    replica.trail.record(replace(REFUSED, reason=reason))

    assert replica.value("request_reasons_total", outcome="refused", reason=reason) == 1


def test_what_a_request_chooses_becomes_no_label() -> None:
    replica = Replica()
    canary = "canary_of_the_peer"

    for number in range(50):
        replica.trail.record(
            replace(
                ANSWERED,
                operation=f"{canary}{number}",
                error=canary,
                served_from=canary,
                key=canary,
                field=canary,
                version_asked=canary,
                version_served=canary,
                properties={canary: canary},
                grant=canary,
                backend=canary,
                caller=replace(CALLER, application=canary),
            )
        )

    assert canary not in replica.metrics.render().decode()
    assert replica.value("requests_total", operation="other", outcome="answered", error="Other")


def test_names_of_keys_subjects_and_accounts_are_in_no_metric() -> None:
    replica = Replica()

    replica.trail.record(ANSWERED)

    text = replica.metrics.render().decode()
    for word in ("API_KEY", "payments", '"M1"', '"V1"', '"A1"', "AACC", "edge", "shop", "mailer"):
        assert word not in text


@pytest.mark.parametrize("reason", ["", "Two Words", "r" * 200, 'a"b', "a1", "\ud800"])
def test_a_reason_that_is_no_code_is_other(reason: str) -> None:
    replica = Replica()

    replica.trail.record(replace(REFUSED, reason=reason))

    assert replica.value("request_reasons_total", outcome="refused", reason="other") == 1


def test_however_many_reasons_there_are_the_series_stay_bounded() -> None:
    replica = Replica()
    letters = "abcdefghijklmnopqrstuvwxyz"

    for first in letters:
        for second in letters:
            replica.trail.record(replace(REFUSED, reason=first + second))

    reasons = [key for key in replica.samples() if key[0].endswith("request_reasons_total")]
    assert len(reasons) == MAX_REASONS + 1
    assert len(replica.trail._known) <= MAX_REASONS
    others = replica.value("request_reasons_total", outcome="refused", reason="other")
    assert others == len(letters) ** 2 - (MAX_REASONS - len(WATCHED_REASONS))


def test_peers_cannot_make_it_remember_anything() -> None:
    replica = Replica()

    for number in range(1000):
        replica.trail.record(replace(REFUSED, operation=f"operation-{number}"))

    assert not replica.trail._known
    refused = replica.value(
        "requests_total", operation="other", outcome="refused", error="DecryptionError"
    )
    assert refused == 1000
