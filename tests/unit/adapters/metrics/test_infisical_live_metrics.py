"""What is read from the Infisical client at each scrape."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.upstream.statistics import CallStatistics, Lane
from tests.unit.adapters.metrics.replica import CALL_STATUSES, Replica


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("infisical_login_age_seconds", {}, 30.0),
        ("infisical_token_remaining_seconds", {}, 3565.0),
        ("infisical_pause_seconds", {"call": "login"}, 12.5),
        ("infisical_pause_seconds", {"call": "read"}, 45.0),
        ("infisical_reads_in_flight", {}, 1),
        ("infisical_reads_waiting", {}, 2),
        ("infisical_reads_refused_total", {}, 3),
        ("infisical_reads_limit", {}, 40),
        ("infisical_calls_total", {"status": "2xx"}, 0),
        ("infisical_calls_total", {"status": "3xx"}, 1),
        ("infisical_calls_total", {"status": "4xx"}, 2),
        ("infisical_calls_total", {"status": "429"}, 3),
        ("infisical_calls_total", {"status": "5xx"}, 4),
        ("infisical_calls_total", {"status": "none"}, 5),
        ("infisical_read_wait_seconds_bucket", {"le": "0.005"}, 1),
        ("infisical_read_wait_seconds_bucket", {"le": "2.5"}, 1),
        ("infisical_read_wait_seconds_bucket", {"le": "5.0"}, 2),
        ("infisical_read_wait_seconds_sum", {}, 4.0),
    ],
)
def test_the_clients_state_is_shown(name: str, labels: dict[str, str], value: float) -> None:
    assert Replica().value(name, **labels) == value


@pytest.mark.parametrize(
    "name",
    [
        "infisical_login_age_seconds",
        "infisical_token_remaining_seconds",
        "infisical_reads_limit",
    ],
)
def test_what_is_not_known_yet_has_no_sample(name: str) -> None:
    replica = Replica()
    status = replica.infisical.status
    replica.infisical.status = replace(status, token=None, reads=status.reads._replace(limit=None))

    assert replica.value(name) is None


def test_calls_are_timed_by_what_was_asked_and_what_came_back() -> None:
    replica = Replica()

    def calls(suffix: str, **more: str) -> float | None:
        name = f"infisical_call_duration_seconds_{suffix}"
        return replica.value(name, call="read", status="2xx", **more)

    assert [calls("bucket", le=le) for le in ("0.005", "0.1", "0.25", "10.0", "+Inf")] == [
        *(1, 1, 2, 2, 3)
    ]
    assert (calls("count"), calls("sum")) == (3, 30.203)


def test_the_values_of_labels_are_those_that_the_client_counts_by() -> None:
    assert tuple(CallStatistics().counts) == CALL_STATUSES
    assert tuple(Lane) == ("login", "read")
