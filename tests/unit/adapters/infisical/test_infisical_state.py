"""What the client shows to metrics: its token, its pauses and its calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from domain.model.errors import UpstreamError
from tests.support.infisical_model import refusal

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


async def test_logins_and_reads_are_counted_by_their_status(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    assert counted(world) == {"2xx": 2}

    world.model.faults = [refusal(503, "Unavailable", "later")]
    await world.get("KEY")
    assert counted(world) == {"2xx": 3, "5xx": 1}

    world.connection_faults.append(httpx.ConnectError("down"))
    await world.get("KEY")
    assert counted(world) == {"2xx": 4, "5xx": 1, "none": 1}


async def test_a_rate_limit_is_counted_apart_and_its_pause_is_shown(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.faults = [refusal(429, "TooMany", "later", retry_after="60")]

    with pytest.raises(UpstreamError):
        await world.get("KEY")

    assert counted(world) == {"2xx": 2, "429": 1}
    assert world.api.state().reads.pause_seconds == 60.0
    assert world.api.state().login_pause_seconds == 0.0


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
