"""What is read from the Infisical client at each scrape."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from adapters.infisical.counted_calls import CountedCalls
from adapters.metrics.catalogue import CALL_STATUSES
from tests.unit.adapters.metrics.replica import Replica


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
    replica.infisical.status = replace(status, token=None, reads=replace(status.reads, limit=None))

    assert replica.value(name) is None


async def test_the_classes_of_status_are_those_that_the_client_counts() -> None:
    async with httpx.AsyncClient() as http:
        assert tuple(CountedCalls(http).counts) == CALL_STATUSES
