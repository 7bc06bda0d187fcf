"""What the rate headers of an answer say, and what they are not taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical.exchange import Answer
from adapters.infisical.rate_report import RateReport, read_report
from tests.support.infisical_server import recorded_result

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


def answer(limit: str, remaining: str, reset: str) -> Answer:
    headers = {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-reset": reset,
    }
    return Answer(200, headers, is_json=True, document={})


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

    assert read_report(Answer(recorded.status, headers, is_json=True, document={})) == report


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
    assert read_report(answer(limit, remaining, reset)) is None


async def test_what_the_reads_are_limited_by_can_be_seen(world: World) -> None:
    recorded = recorded_result("get_ok_plain")
    world.model.put("KEY", "v")
    await world.get("KEY")
    before = world.api.reads()
    world.model.faults = [recorded]
    with pytest.raises(Exception, match="not the secret that was asked for"):
        await world.get("KEY")
    after = world.api.reads()

    assert (before.limit, before.capacity) == (None, None)
    assert (after.limit, after.capacity, after.in_flight, after.waiting) == (40, 39, 0, 0)
