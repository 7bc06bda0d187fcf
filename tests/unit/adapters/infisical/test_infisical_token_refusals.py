"""Tokens that the server refuses in the middle of reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import Unauthorized, UpstreamError
from tests.support.infisical_model import Call, Result, refusal
from tests.unit.adapters.infisical.conftest import timed_out, unreachable, with_v4

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.infisical.login import AccessToken
    from adapters.upstream.engine import TransportError
    from tests.unit.adapters.infisical.conftest import World


REFUSED_TOKENS = [
    refusal(401, "UnauthorizedError", "No identity access token found"),
    refusal(401, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration"),
    refusal(403, "TokenError", "Your token has expired. Please re-authenticate."),
]


@pytest.mark.parametrize("answer", REFUSED_TOKENS)
async def test_a_refused_token_leads_to_one_login_and_one_more_try(
    world: World, answer: Result
) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [answer]

    assert (await world.get("KEY")).value.reveal() == "v"

    assert (len(world.model.logins), len(world.model.reads)) == (2, 2)
    assert world.model.reads[1].headers["authorization"] == "Bearer canary-access-token-2"


async def test_a_token_refused_twice_is_an_upstream_error(world: World) -> None:
    world.model.faults = [*REFUSED_TOKENS]

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.TOKEN_REFUSED
    assert (len(world.model.logins), len(world.model.reads)) == (2, 2)


async def test_a_token_that_others_had_fetched_before_the_refusal_may_be_refused_as_well(
    world: World,
) -> None:
    """All tokens are revoked just after another request has had the second one fetched."""
    world.model.put("KEY", "v")
    await world.get("KEY")
    tokens = world.api.tokens

    def refuse_while_another_logs_in(_: Call) -> Result:
        tokens.reject(await_free(tokens.current(0.0)))
        tokens._running.start(tokens._begin)
        return REFUSED_TOKENS[0]

    world.model.faults = [refuse_while_another_logs_in, REFUSED_TOKENS[0]]

    assert (await world.get("KEY")).value.reveal() == "v"
    used = [call.headers["authorization"][-1] for call in world.model.reads]
    assert used == ["1", "1", "2", "3"]


def await_free(coroutine: Coroutine[None, None, AccessToken]) -> AccessToken:
    """Return what a coroutine that has nothing to wait for returns."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        token: AccessToken = end.value
        return token
    raise AssertionError("it waited")


async def test_a_request_outlives_two_tokens_and_no_more(world: World) -> None:
    world.model.put("KEY", "v")
    tokens = world.api.tokens
    world.model.faults = [REFUSED_TOKENS[0]] * 3
    # All tokens look as if they had been there before.
    reject, world.api.tokens.reject = tokens.reject, lambda token: reject(token) + 9  # type: ignore[method-assign]  # to see the bound alone

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.TOKEN_REFUSED
    assert (len(world.model.logins), len(world.model.reads)) == (3, 3)


async def test_a_batch_refused_together_costs_one_login(world: World) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.valid_tokens.clear()

    secrets = await asyncio.gather(*(world.get("KEY") for _ in range(20)))

    assert {secret.value.reveal() for secret in secrets} == {"v"}
    assert len(world.model.logins) == 2


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "PermissionDenied", "You are not allowed to read on secrets"),
        refusal(401, "PermissionDenied", "You are not allowed to read on secrets"),
        refusal(403, "Identity is not a member of the specified project", "You are not allowed"),
    ],
)
@with_v4
async def test_a_denial_is_an_answer_and_no_reason_to_log_in(world: World, answer: Result) -> None:
    world.model.faults = [answer]

    with pytest.raises(Unauthorized):
        await world.get("KEY")

    assert len(world.model.calls) == 2


@pytest.mark.parametrize(
    "fault",
    [
        unreachable(),
        timed_out(),
        unreachable("ReadError", never_sent=False),
        unreachable("RemoteProtocolError", never_sent=False),
        unreachable("ProxyError"),
    ],
)
@with_v4
async def test_a_broken_connection_is_tried_again(world: World, fault: TransportError) -> None:
    world.model.put("KEY", "v")
    world.connection_faults = [fault, fault]

    assert (await world.get("KEY")).value.reveal() == "v"
    assert len(world.model.reads) == 3
