"""Reads that fail: what is tried again, waited out or given up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import SecretNotFound, UpstreamError
from tests.support.infisical_model import Call, Result, html, refusal
from tests.unit.adapters.infisical.conftest import timed_out, with_v4

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


FAULT = refusal(500, "Find one", "Something went wrong")


def limited(seconds: int) -> Result:
    return refusal(500, "InternalServerError", "Something went wrong", retry_after=str(seconds))


@pytest.mark.parametrize("fault", [FAULT, html(502), html(503), refusal(504, "x", "y")])
async def test_a_server_error_is_tried_again(world: World, fault: Result) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [fault, fault]

    assert (await world.get("KEY")).value.reveal() == "v"
    assert len(world.model.reads) == 3


async def test_a_lasting_server_error_is_given_up_after_five_tries(world: World) -> None:
    world.model.faults = [FAULT] * 9

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.FAILING
    assert len(world.model.reads) == 5


@with_v4
async def test_a_lasting_break_is_given_up_after_five_tries(world: World) -> None:
    world.connection_faults = [timed_out()] * 9

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.TIMED_OUT
    assert len(world.model.reads) == 5


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, "BadRequest", "Missing environment"),
        refusal(401, "ValidationFailure", []),
        refusal(404, "NotFound", "Secret not found"),
        refusal(422, "ValidationFailure", []),
    ],
)
async def test_a_refused_request_is_never_tried_again(world: World, answer: Result) -> None:
    world.model.faults = [answer]

    with pytest.raises((UpstreamError, SecretNotFound)):
        await world.get("KEY")

    assert len(world.model.reads) == 1


async def test_an_answer_that_names_a_member_twice_is_refused(world: World) -> None:
    body = b'{"secret":{"secretKey":"KEY","secretValue":"a","secretValue":"b","version":1}}'
    world.model.faults = [Result(200, body, {"content-type": "application/json"})] * 2

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.NOT_ANSWERING


async def test_a_limited_read_has_all_wait_and_one_without_time_is_told(world: World) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [limited(59)]

    with pytest.raises(UpstreamError, match="59 seconds"):
        await world.get("KEY")
    world.clock.advance(20.0)
    with pytest.raises(UpstreamError, match="39 seconds"):
        await world.get("OTHER")

    assert len(world.model.reads) == 1
    world.clock.advance(39.0)
    assert (await world.get("KEY")).value.reveal() == "v"


async def test_a_short_limit_is_waited_out(world: World) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [refusal(429, "RateLimitExceeded", "Please try again in 3 seconds")]
    waiting = asyncio.create_task(world.get("KEY"))
    await world.settle()
    assert len(world.model.reads) == 1

    world.clock.advance(3.0)

    assert (await waiting).value.reveal() == "v"


async def test_a_server_that_always_limits_is_given_up(world: World) -> None:
    world.model.faults = [limited(1)] * 9
    waiting = asyncio.create_task(world.get("KEY", seconds=60.0))
    for _ in range(9):
        await world.settle()
        world.clock.advance(1.0)

    with pytest.raises(UpstreamError) as failure:
        await waiting

    assert failure.value.reason == reasons.RATE_LIMITED
    assert len(world.model.reads) == 5


async def test_a_hanging_server_is_an_upstream_error_at_the_deadline(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.gate.clear()
    waiting = asyncio.create_task(world.get("KEY", seconds=8.0))
    await world.settle()
    world.clock.advance(7.9)
    await world.settle()
    assert not waiting.done()

    world.clock.advance(0.2)
    with pytest.raises(UpstreamError) as failure:
        await waiting
    assert failure.value.reason == reasons.TIMED_OUT

    world.gate.set()
    assert (await world.get("KEY")).value.reveal() == "v"


async def test_a_redirect_is_not_followed_with_the_token(world: World) -> None:
    def away(_: Call) -> Result:
        return Result(307, b"", {"location": "https://elsewhere.test/steal"})

    world.model.faults = [away, away]

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.NOT_ANSWERING
    assert all(call.target.startswith("/api/") for call in world.model.calls)
