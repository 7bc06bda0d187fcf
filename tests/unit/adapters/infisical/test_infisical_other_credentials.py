"""Credentials that change, cannot be read, or give tokens that are refused."""

from __future__ import annotations

import asyncio

import pytest

from adapters.infisical import reasons
from domain.model.errors import UpstreamError
from tests.unit.adapters.infisical.tokens_rig import Setting, refused


@pytest.fixture
def setting() -> Setting:
    return Setting()


async def test_changed_credentials_are_tried_at_once_and_by_themselves(setting: Setting) -> None:
    setting.login.may_change = True
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()
    setting.clock.advance(5.0)
    with pytest.raises(UpstreamError):
        await setting.current()
    assert setting.login.count == 1

    setting.login.changed.set()
    await setting.settle()

    assert setting.login.count == 2
    assert await setting.current() == "t2"


async def test_credentials_that_change_again_and_again_are_watched_all_the_while(
    setting: Setting,
) -> None:
    setting.login.may_change = True
    setting.login.failures = [refused(), refused()]
    with pytest.raises(UpstreamError):
        await setting.current()
    for _ in range(2):
        setting.clock.advance(40.0)
        setting.login.changed.set()
        await setting.settle()

    assert await setting.current() == "t3"
    assert setting.login.count == 3


async def test_unreadable_credentials_are_read_again_once_a_second(setting: Setting) -> None:
    setting.login.failures = [UpstreamError("Gone.", reason=reasons.CREDENTIALS_UNREADABLE)] * 2
    for _ in range(2):
        for _ in range(5):
            with pytest.raises(UpstreamError, match="Gone"):
                await setting.current()
        setting.clock.advance(1.0)

    assert setting.login.count == 2
    assert await setting.current() == "t3"


async def test_a_server_that_refuses_all_it_grants_is_not_flooded_with_logins(
    setting: Setting,
) -> None:
    deadline = setting.clock.monotonic() + 8.0
    for _ in range(4):
        setting.tokens.reject(await setting.tokens.current(deadline))

    with pytest.raises(UpstreamError, match="even fresh tokens") as failure:
        await setting.current()
    assert failure.value.reason == reasons.TOKEN_REFUSED
    assert setting.login.count == 4
    setting.clock.advance(5.0)

    assert await setting.current() == "t5"


async def test_tokens_that_serve_a_read_each_may_be_used_up_quickly(setting: Setting) -> None:
    deadline = setting.clock.monotonic() + 8.0
    for _ in range(20):
        token = await setting.tokens.current(deadline)
        setting.tokens.history.token_served()
        setting.tokens.reject(token)

    assert await setting.current() == "t21"


async def test_closing_ends_the_wait_for_other_credentials(setting: Setting) -> None:
    setting.login.may_change = True
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()

    await setting.tokens.aclose()

    assert {task.get_name() for task in asyncio.all_tasks()} & {"infisical-credentials"} == set()
