"""What the client shows to metrics: its token, its pauses and its calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.infisical.login_history import MAX_USELESS_TOKENS, USELESS_RETRY_SECONDS
from adapters.upstream.lockout import QUICK_RETRY_SECONDS
from domain.model.errors import Unauthorized, UpstreamError
from tests.support.infisical_model import CLIENT_SECRET, refusal
from tests.unit.adapters.infisical.conftest import unreachable, with_v4

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


def counted(world: World) -> dict[str, int]:
    """Return the calls by status, without those that never came."""
    return {status: count for status, count in world.api.state().calls.items() if count}


async def test_before_the_first_login_there_is_no_token_to_show(world: World) -> None:
    state = world.api.state()

    assert state.token is None
    assert (state.login_pause_seconds, state.reads.pause_seconds) == (0.0, 0.0)
    assert counted(world) == {}


async def test_a_token_ages_towards_its_end(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    fresh = world.api.state().token
    world.clock.advance(10.0)
    aged = world.api.state().token

    assert fresh is not None
    assert aged is not None
    assert fresh.age_seconds == 0.0
    assert aged.age_seconds == 10.0
    assert aged.remaining_seconds == fresh.remaining_seconds - 10.0 > 0


async def test_a_token_past_its_end_has_no_time_left(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.clock.advance(10_000_000.0)
    token = world.api.state().token

    assert token is not None
    assert token.remaining_seconds == 0.0


@with_v4
async def test_logins_and_reads_are_counted_by_their_status(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    assert counted(world) == {"2xx": 2}

    world.model.faults = [refusal(503, "Unavailable", "later")]
    await world.get("KEY")
    assert counted(world) == {"2xx": 3, "5xx": 1}

    world.connection_faults.append(unreachable())
    await world.get("KEY")
    assert counted(world) == {"2xx": 4, "5xx": 1, "none": 1}


@with_v4
async def test_a_rate_limit_is_counted_apart_and_its_pause_is_shown(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.faults = [refusal(429, "TooMany", "later", retry_after="60")]

    with pytest.raises(UpstreamError):
        await world.get("KEY")

    assert counted(world) == {"2xx": 2, "429": 1}
    assert world.api.state().reads.pause_seconds == 60.0
    assert world.api.state().login_pause_seconds == 0.0


@with_v4
async def test_a_call_given_up_at_its_deadline_counts_as_unanswered(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.gate.clear()
    reading = asyncio.create_task(world.get("KEY", seconds=5.0))
    await world.settle()
    world.clock.advance(5.0)

    with pytest.raises(UpstreamError):
        await reading

    assert counted(world) == {"2xx": 2, "none": 1}


async def test_logins_withheld_after_a_refusal_show_as_a_pause_and_say_what_to_do(
    world: World,
) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.client_secrets.clear()
    world.model.valid_tokens.clear()

    with pytest.raises(UpstreamError):
        await world.get("KEY")
    state = world.api.state()

    assert state.login_pause_seconds == QUICK_RETRY_SECONDS
    assert state.withheld is not None
    assert state.login_advice is not None
    assert "INFISICAL_CLIENT_SECRET" in state.login_advice

    world.model.client_secrets.add(CLIENT_SECRET)
    world.clock.advance(QUICK_RETRY_SECONDS)
    await world.get("KEY")
    healed = world.api.state()
    assert (healed.login_pause_seconds, healed.withheld, healed.login_advice) == (0.0, None, None)


async def test_while_a_token_still_serves_a_refused_login_is_nobodys_trouble_yet(
    world: World,
) -> None:
    world.model.put("KEY", "v")
    world.model.token_seconds = 100
    await world.get("KEY")
    world.model.client_secrets.clear()
    world.clock.advance(85.0)

    await world.get("KEY")
    await world.settle()
    state = world.api.state()

    assert state.withheld is not None
    assert state.login_pause_seconds > 0.0
    assert state.login_advice is None


async def test_logins_are_withheld_for_a_while_after_tokens_that_serve_nothing(
    world: World,
) -> None:
    world.model.faults = [refusal(401, "UnauthorizedError", "Token")] * 20

    for _ in range(MAX_USELESS_TOKENS):
        with pytest.raises((UpstreamError, Unauthorized)):
            await world.get("KEY")
    state = world.api.state()

    assert state.withheld is not None
    assert state.login_pause_seconds == USELESS_RETRY_SECONDS


def timed(world: World) -> dict[tuple[str, str], tuple[int, float]]:
    """Return how many calls of each kind were timed, and how long they took together."""
    durations = world.api.state().call_durations.items()
    return {kind: (each.count, each.sum_seconds) for kind, each in durations if each.count}


@with_v4
async def test_calls_are_timed_by_what_was_asked_and_what_came_back(world: World) -> None:
    world.model.put("KEY", "v")
    world.gate.clear()
    reading = asyncio.create_task(world.get("KEY"))
    await world.settle()
    world.clock.advance(0.75)
    world.gate.set()
    await reading
    world.gate.clear()
    reading = asyncio.create_task(world.get("KEY", seconds=2.0))
    await world.settle()
    world.clock.advance(2.0)
    with pytest.raises(UpstreamError):
        await reading

    assert timed(world) == {
        ("login", "2xx"): (1, 0.75),
        ("read", "2xx"): (1, 0.0),
        ("read", "none"): (1, 2.0),
    }


@with_v4
async def test_the_time_that_a_read_waits_for_a_rate_limit_is_no_time_of_its_call(
    world: World,
) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.faults = [refusal(429, "TooMany", "later", retry_after="5")]

    reading = asyncio.create_task(world.get("KEY"))
    await world.settle()
    world.clock.advance(5.0)
    await reading

    waits = world.api.state().read_waits
    assert (waits.count, waits.sum_seconds) == (3, 5.0)
    assert timed(world)["read", "2xx"] == (2, 0.0)
    assert timed(world)["read", "429"] == (1, 0.0)
