"""How a rate limit is told from a fault, and how long the shared pause lasts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.cooldown import Cooldown
from adapters.upstream.rate_headers import pause_asked_for
from domain.model.errors import RateLimited
from tests.fakes.clock import FakeClock
from tests.unit.adapters.upstream.http_rig import CONFIG
from tests.unit.adapters.upstream.http_rig import answer as json_answer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

NOW = 1_800_000_000.0
"""Fri, 15 Jan 2027 08:00:00 GMT."""


def answer(
    status: int, message: object = "Something went wrong", **headers: str
) -> UpstreamResponse:
    return json_answer(status, {"message": message}, **headers)


@pytest.mark.parametrize(
    ("limited", "seconds"),
    [
        (answer(500, retry_after="59"), 59.0),
        (answer(503, retry_after="7"), 7.0),
        (answer(429, retry_after="12"), 12.0),
        (answer(429, retry_after=" 2.5 "), 2.5),
        (answer(429, "Rate limit exceeded. Please try again in 42 seconds"), 42.0),
        (answer(429, "Try again in 1 second"), 1.0),
        (answer(429, retry_after="Fri, 15 Jan 2027 08:00:30 GMT"), 30.0),
        (answer(429, retry_after="Fri, 15 Jan 2027 07:00:00 GMT"), 1.0),
        (answer(429, x_ratelimit_reset="33"), 33.0),
        (answer(429, "busy"), 10.0),
        (answer(429, ["busy"]), 10.0),
        (answer(429, retry_after="soon"), 10.0),
        (answer(429, retry_after="-5"), 10.0),
        (answer(429, retry_after="0"), 1.0),
        (answer(429, retry_after="86400"), 120.0),
        (answer(429, retry_after="9" * 400), 10.0),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(limited: UpstreamResponse, seconds: float) -> None:
    assert pause_asked_for(limited, NOW) == seconds


@pytest.mark.parametrize(
    "other",
    [
        answer(500),
        answer(503, "try again in 5 seconds"),
        answer(500, x_ratelimit_reset="60"),
        answer(404, retry_after="5"),
        answer(200, x_ratelimit_reset="60", x_ratelimit_remaining="0"),
    ],
)
def test_anything_else_limits_no_rate(other: UpstreamResponse) -> None:
    assert pause_asked_for(other, NOW) is None


async def test_a_cooldown_beyond_the_deadline_is_told_at_once() -> None:
    clock = FakeClock()
    pause = Cooldown(CONFIG, clock)
    pause.extend(30.0)
    clock.advance(12.5)

    with pytest.raises(RateLimited, match="try again in 18 seconds"):
        await pause.wait(clock.monotonic() + 8.0)


async def test_a_request_with_time_goes_on_when_the_cooldown_ends() -> None:
    clock = FakeClock()
    pause = Cooldown(CONFIG, clock)
    pause.extend(5.0)
    waiting = asyncio.create_task(pause.wait(clock.monotonic() + 8.0))
    await asyncio.sleep(0)

    clock.advance(4.9)
    await asyncio.sleep(0)
    assert not waiting.done()

    clock.advance(0.2)
    await waiting


async def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    clock = FakeClock()
    pause = Cooldown(CONFIG, clock)
    pause.extend(30.0)
    pause.extend(1.0)
    clock.advance(2.0)

    assert pause.active


async def test_a_pause_prolonged_while_waiting_is_waited_out_only_within_the_deadline() -> None:
    clock = FakeClock()
    pause = Cooldown(CONFIG, clock)
    pause.extend(2.0)
    waiting = asyncio.create_task(pause.wait(clock.monotonic() + 8.0))
    await asyncio.sleep(0)
    pause.extend(20.0)
    clock.advance(3.0)

    with pytest.raises(RateLimited, match="17 seconds"):
        await waiting
