"""What the rate headers of an answer say, and what they are not taken for."""

from __future__ import annotations

import pytest

from adapters.upstream.message import UpstreamResponse
from adapters.upstream.rate_headers import RateReport, rate_report
from tests.support.infisical_server import recorded_result


def answer(limit: str, remaining: str, reset: str) -> UpstreamResponse:
    headers = {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-reset": reset,
    }
    return UpstreamResponse(200, headers)


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("get_ok_plain", RateReport(40, 39, 60)),
        ("get_not_found", RateReport(40, 39, 60)),
        ("rate_limited_get_secret", RateReport(40, 0, 59)),
        ("unknown_route_v4_secrets", None),
        ("redis_down_get_no_limiter", None),
    ],
)
def test_recorded_answers_say_how_the_window_stands(name: str, report: RateReport | None) -> None:
    recorded = recorded_result(name)
    headers = dict(recorded.headers)

    assert rate_report(UpstreamResponse(recorded.status, headers)) == report


@pytest.mark.parametrize(
    ("limit", "remaining", "reset"),
    [
        ("", "", ""),
        ("40", "", "60"),
        ("0", "0", "60"),
        ("40", "-1", "60"),
        ("40", "39", "1800000000"),
        ("1", "0", "3600"),
        ("40", "39", "soon"),
        ("\u0664\u0660", "39", "60"),
        ("9" * 30, "39", "60"),
    ],
)
def test_anything_else_says_nothing(limit: str, remaining: str, reset: str) -> None:
    assert rate_report(answer(limit, remaining, reset)) is None


def test_the_headers_of_the_draft_standard_say_the_same() -> None:
    headers = {"ratelimit-limit": "100", "ratelimit-remaining": "42", "ratelimit-reset": "7"}

    assert rate_report(UpstreamResponse(200, headers)) == RateReport(100, 42, 7)
