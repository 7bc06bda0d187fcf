"""The limited upstream says what Infisical says, or the storm before it proves nothing."""

from __future__ import annotations

import json

import pytest

from benchmarks.phases.limited_storm import retry_seconds
from benchmarks.upstream import WINDOW_SECONDS, RateWindow
from tests.support.infisical_model import (
    CLIENT_ID,
    CLIENT_SECRET,
    LOGIN_PATH,
    PROJECT_ID,
    V4_PREFIX,
    Call,
    InfisicalModel,
)

LOGIN = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}).encode()
TARGET = f"{V4_PREFIX}KEY?projectId={PROJECT_ID}&environment=prod&secretPath=/"


@pytest.fixture
def model() -> InfisicalModel:
    model = InfisicalModel()
    model.put("KEY", "value")
    return model


@pytest.fixture
def read(model: InfisicalModel) -> Call:
    login = model.answer(Call("POST", LOGIN_PATH, {}, LOGIN))
    return Call("GET", TARGET, {"authorization": f"Bearer {login.body['accessToken']}"})


def test_reads_within_the_limit_are_answered_and_counted(model: InfisicalModel, read: Call) -> None:
    window = RateWindow(model, 2)

    results = [window.answer(read, now) for now in (100.0, 110.5)]

    assert [result.status for result in results] == [200, 200]
    assert dict(results[1].headers) == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "50",
    }
    assert window.refused == 0


def test_a_read_beyond_the_limit_is_told_when_the_window_ends(
    model: InfisicalModel, read: Call
) -> None:
    window = RateWindow(model, 1)
    window.answer(read, 100.0)

    refused = window.answer(read, 130.0)

    assert refused.status == 429
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert retry_seconds(refused.body["message"]) == 30
    assert window.refused == 1


def test_the_next_window_begins_with_its_first_read(model: InfisicalModel, read: Call) -> None:
    window = RateWindow(model, 1)
    window.answer(read, 100.0)
    window.answer(read, 101.0)

    later = window.answer(read, 100.0 + WINDOW_SECONDS)

    assert later.status == 200
    assert later.headers["x-ratelimit-reset"] == "60"


def test_logins_and_reads_without_a_token_do_not_count(model: InfisicalModel, read: Call) -> None:
    window = RateWindow(model, 1)

    free = [
        window.answer(Call("POST", LOGIN_PATH, {}, LOGIN), 100.0),
        window.answer(Call("GET", TARGET, {}), 100.0),
    ]

    assert [result.status for result in free] == [200, 401]
    assert not any("x-ratelimit-limit" in result.headers for result in free)
    assert window.answer(read, 100.0).status == 200


def test_a_refusal_without_a_time_counts_as_saying_none() -> None:
    assert retry_seconds('{"error":{"UpstreamError":"Infisical is down."}}') == 0
