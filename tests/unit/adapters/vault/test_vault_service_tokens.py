"""The service's own token: one login at a time, renewed while that helps."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from adapters.upstream.credentials import FixedText
from adapters.vault.login import signed_token
from adapters.vault.service_tokens import ServiceTokens
from adapters.vault.token_makers import LoginMaker
from domain.model.errors import RateLimited, StoreUnavailable
from tests.support.refused import refused
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.unit.adapters.vault.token_rig import Rig


async def test_requests_at_the_same_time_share_one_login() -> None:
    rig = Rig()
    rig.calls.gate.clear()
    requests = [asyncio.create_task(rig.token()) for _ in range(5)]
    await rig.settle()
    requests[0].cancel()
    rig.calls.gate.set()
    tokens = await asyncio.gather(*requests[1:])

    assert len(set(tokens)) == 1
    assert rig.logins.logins == 1


async def test_credentials_are_sent_without_the_space_around_them() -> None:
    rig = Rig()
    await rig.token()

    assert rig.calls.made[0].body == {"role_id": ROLE_ID, "secret_id": SECRET_ID}
    assert SECRET_ID not in repr(rig.calls.made[0])
    assert rig.calls.made[0].is_login


async def test_a_token_is_renewed_after_two_thirds_of_its_time_and_stays_the_same() -> None:
    rig = Rig()
    rig.logins.lease = 300
    first = await rig.token()

    async with rig.running():
        await rig.advance(199)
        assert rig.logins.renewals == 0
        await rig.advance(2)
        assert (rig.logins.renewals, rig.logins.logins) == (1, 1)
        await rig.advance(150)
        assert await rig.token() == first
        await rig.advance(51)
        assert rig.logins.renewals == 2


async def test_a_renewal_that_grants_less_is_followed_by_a_login() -> None:
    rig = Rig()
    rig.logins.lease, rig.logins.renewed_lease = 300, 100
    first = await rig.token()

    async with rig.running():
        await rig.advance(201)

    assert (rig.logins.renewals, rig.logins.logins) == (1, 2)
    assert await rig.token() != first


@pytest.mark.parametrize("name", ["role_deleted_renew", "token_expired_renew"])
async def test_a_renewal_that_fails_is_followed_by_a_login(name: str) -> None:
    rig = Rig()
    rig.logins.lease = 300
    await rig.token()
    rig.calls.instead = [name]

    async with rig.running():
        await rig.advance(201)

    assert rig.logins.logins == 2


async def test_a_batch_token_is_never_renewed_but_followed_by_another_login() -> None:
    rig = Rig()
    rig.logins.lease, rig.logins.token_type = 300, "batch"
    await rig.token()

    async with rig.running():
        await rig.advance(201)

    assert (rig.logins.renewals, rig.logins.logins) == (0, 2)


async def test_a_token_in_use_outlives_logins_that_fail() -> None:
    rig = Rig()
    rig.logins.lease, rig.logins.token_type = 300, "batch"
    first = await rig.token()
    rig.calls.instead = ["no_active_node_login", StoreUnavailable("It hangs; wait.")]

    async with rig.running():
        await rig.advance(201)
        await rig.advance(6)
        assert await rig.token() == first
        assert rig.logins.logins == 1
        await rig.advance(6)

    assert rig.logins.logins == 2
    assert await rig.token() != first


async def test_an_expired_token_is_replaced_without_the_background_task() -> None:
    rig = Rig()
    rig.logins.lease = 300
    first = await rig.token()
    rig.clock.advance(296)

    assert await rig.token() != first


async def test_a_refused_token_is_replaced_once_and_no_more_if_that_does_not_help() -> None:
    rig = Rig()
    first = await rig.tokens.current()

    assert rig.tokens.doubt(first)
    assert rig.tokens.doubt(first)
    second = await rig.tokens.current()
    assert rig.tokens.doubt(second) is False
    assert await rig.tokens.current() is second
    rig.clock.advance(14)
    assert rig.tokens.doubt(second) is False

    assert rig.logins.logins == 2


async def test_a_token_that_has_served_is_replaced_whenever_it_is_refused() -> None:
    rig = Rig()
    for _ in range(3):
        token = await rig.tokens.current()
        rig.tokens.confirm()
        assert rig.tokens.doubt(token)

    await rig.token()
    assert rig.logins.logins == 4


async def test_a_server_that_is_down_is_not_asked_for_each_request() -> None:
    rig = Rig()
    rig.calls.instead = ["sealed_login_approle"] * 9
    for _ in range(5):
        with refused(StoreUnavailable, "store_sealed"):
            await rig.token()
    assert len(rig.calls.made) == 1

    rig.clock.advance(1.1)
    rig.calls.instead = []
    assert await rig.token()


async def test_an_outage_behind_a_login_that_is_never_locked_is_over_within_seconds() -> None:
    rig = Rig()
    method = signed_token("kubernetes", "demo", FixedText(SecretStr("canary-token")))
    maker = LoginMaker(method, "", rig.calls, rig.refusals, rig.clock)
    tokens = ServiceTokens(maker, rig.clock, lambda: 0.99)
    rig.calls.instead = ["kubernetes_login_api_server_unreachable", "kubernetes_login_no_role"]
    with pytest.raises(StoreUnavailable) as refused:
        await tokens.current()
    assert refused.value.reason == "login_undecided"
    assert "credentials" not in refused.value.advice

    rig.clock.advance(10)
    rig.calls.instead = ["approle_login_ok"]
    assert (await tokens.current()).value.get_secret_value()


async def test_a_rate_limit_on_logins_is_kept_and_told() -> None:
    rig = Rig()
    rig.calls.instead = [RateLimited("Wait.", retry_after=29)]
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            await rig.token()
        assert refused.value.retry_after == 29

    rig.clock.advance(29)
    assert await rig.token()
    assert len(rig.calls.made) == 2


async def test_the_problem_is_told_until_there_is_a_token() -> None:
    rig = Rig()
    rig.calls.instead = ["sealed_login_approle"]
    assert rig.tokens.problem() is None
    with pytest.raises(StoreUnavailable):
        await rig.token()
    assert "Unseal" in (rig.tokens.problem() or "")

    rig.clock.advance(3)
    await rig.token()
    assert rig.tokens.problem() is None


async def test_closing_ends_a_login_and_tells_who_waits_for_it() -> None:
    rig = Rig()
    rig.calls.gate.clear()
    waiting = asyncio.create_task(rig.token())
    await rig.settle()
    await rig.tokens.aclose()
    rig.calls.gate.set()

    with refused(StoreUnavailable, "closed"):
        await waiting
