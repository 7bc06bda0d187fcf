"""Refused logins: tried again soon enough to heal and too seldom to lock the identity."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.infisical import reasons
from domain.model.errors import UpstreamError
from tests.unit.adapters.infisical.tokens_rig import Setting, failing, refused


@pytest.fixture
def setting() -> Setting:
    return Setting()


async def test_refused_credentials_fail_every_call_and_are_not_tried_again_at_once(
    setting: Setting,
) -> None:
    setting.login.failures = [refused()]

    failures = await asyncio.gather(*(setting.current() for _ in range(5)), return_exceptions=True)
    with pytest.raises(UpstreamError, match="Refused"):
        await setting.current()

    assert {type(failure) for failure in failures} == {UpstreamError}
    assert len({id(failure) for failure in failures}) == 5
    assert setting.login.count == 1


async def test_refused_credentials_are_tried_soon_and_then_too_seldom_to_lock_out(
    setting: Setting,
) -> None:
    setting.login.failures = [refused() for _ in range(100)]
    began = setting.clock.monotonic()
    tried_at = []
    for _ in range(480):
        before = setting.login.count
        with pytest.raises(UpstreamError, match="Refused"):
            await setting.current()
        if setting.login.count > before:
            tried_at.append(setting.clock.monotonic() - began)
        setting.clock.advance(0.25)

    assert tried_at == [0.0, 4.0, 36.0, 68.0, 100.0]


async def test_a_fault_of_a_moment_is_over_within_seconds(setting: Setting) -> None:
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()
    setting.clock.advance(3.9)
    with pytest.raises(UpstreamError, match="Refused"):
        await setting.current()
    setting.clock.advance(0.1)

    assert await setting.current() == "t2"


async def test_a_locked_identity_is_asked_every_twenty_seconds(setting: Setting) -> None:
    setting.login.failures = [UpstreamError("Locked.", reason=reasons.LOGIN_LOCKED)] * 4
    for _ in range(4):
        with pytest.raises(UpstreamError, match="Locked"):
            await setting.current()
        setting.clock.advance(19.9)
        with pytest.raises(UpstreamError, match="Locked"):
            await setting.current()
        setting.clock.advance(0.1)

    assert await setting.current() == "t5"


async def test_a_refusal_is_told_to_the_other_processes(setting: Setting) -> None:
    setting.login.failures = [refused(), failing()]

    with pytest.raises(UpstreamError):
        await setting.current()
    assert setting.refusals_told == 1
    setting.clock.advance(10.0)
    with pytest.raises(UpstreamError, match="Failing"):
        await setting.current()

    assert setting.refusals_told == 1


async def test_where_others_were_refused_twice_no_login_is_sent(setting: Setting) -> None:
    setting.tokens.refused_elsewhere()
    setting.tokens.refused_elsewhere()

    with pytest.raises(UpstreamError, match="Failed to authenticate") as failure:
        await setting.current()
    assert failure.value.reason == reasons.LOGIN_REFUSED
    assert setting.login.count == 0
    setting.clock.advance(32.0)

    assert await setting.current() == "t1"


async def test_a_token_that_serves_is_not_replaced_while_others_are_refused(
    setting: Setting,
) -> None:
    await setting.current()
    setting.clock.advance(85.0)
    setting.tokens.refused_elsewhere()

    assert await setting.current() == "t1"
    await setting.settle()

    assert setting.login.count == 1


async def test_whoever_asks_for_it_has_a_refused_login_tried_at_once(setting: Setting) -> None:
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()

    with capture_logs() as logs:
        setting.tokens.try_again("asked_for")

    assert await setting.current() == "t2"
    assert logs[0] == {
        "event": "infisical.login_tried_again",
        "cause": "asked_for",
        "in_seconds": 0.0,
        "log_level": "info",
    }


async def test_not_even_who_asks_for_it_has_the_identity_locked_out(setting: Setting) -> None:
    setting.login.failures = [refused(), refused()]
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await setting.current()
        setting.clock.advance(4.0)

    with capture_logs() as logs:
        setting.tokens.try_again("asked_for")
    await setting.settle()

    assert [log["in_seconds"] for log in logs] == [28.0]
    assert setting.login.count == 2
    setting.clock.advance(28.0)
    await setting.settle()
    assert setting.login.count == 3
    assert await setting.current() == "t3"


async def test_replicas_that_are_asked_at_once_take_turns(setting: Setting) -> None:
    setting.chance = 0.5
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()
    setting.clock.advance(100.0)
    setting.tokens.refused_elsewhere()

    setting.tokens.try_again("asked_for")
    setting.clock.advance(0.9)
    await setting.settle()
    assert setting.login.count == 1
    setting.clock.advance(0.1)
    await setting.settle()

    assert setting.login.count == 2


async def test_who_hears_of_a_refusal_before_its_turn_waits_on(setting: Setting) -> None:
    setting.chance = 0.5
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()
    setting.clock.advance(100.0)
    setting.tokens.refused_elsewhere()
    setting.tokens.try_again("asked_for")
    setting.clock.advance(0.5)
    setting.tokens.refused_elsewhere()
    setting.clock.advance(30.0)
    await setting.settle()

    assert setting.login.count == 1


async def test_without_a_refusal_there_is_nothing_to_try_again(setting: Setting) -> None:
    await setting.current()

    with capture_logs() as logs:
        setting.tokens.try_again("asked_for")
    await setting.settle()

    assert (logs, setting.login.count) == ([], 1)
