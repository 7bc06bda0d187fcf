"""One token for all calls: shared, replaced, and what becomes of failed logins."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.login import AccessToken
from domain.model.errors import UpstreamError
from tests.unit.adapters.infisical.tokens_rig import ScriptedLogin, Setting, failing, refused


@pytest.fixture
def setting() -> Setting:
    return Setting()


async def test_all_calls_share_one_login(setting: Setting) -> None:
    assert set(await asyncio.gather(*(setting.current() for _ in range(50)))) == {"t1"}
    assert await setting.current() == "t1"
    assert setting.login.count == 1


async def test_near_its_end_a_token_is_replaced_while_it_still_serves(setting: Setting) -> None:
    await setting.current()
    setting.clock.advance(81.0)
    setting.login.gate.clear()

    assert {await setting.current() for _ in range(5)} == {"t1"}
    setting.login.gate.set()
    await setting.settle()

    assert await setting.current() == "t2"
    assert setting.login.count == 2


async def test_an_expired_token_is_not_used(setting: Setting) -> None:
    await setting.current()
    setting.clock.advance(100.0)

    assert await setting.current() == "t2"


async def test_a_jump_of_the_wall_clock_changes_nothing(setting: Setting) -> None:
    await setting.current()
    setting.clock.jump(10_000.0)

    assert await setting.current() == "t1"


async def test_a_batch_of_refused_calls_costs_one_login(setting: Setting) -> None:
    deadline = setting.clock.monotonic() + 8.0
    old = await setting.tokens.current(deadline)

    async def refused_call() -> AccessToken:
        setting.tokens.reject(old)
        return await setting.tokens.current(deadline)

    fresh = await asyncio.gather(*(refused_call() for _ in range(20)))
    late = await refused_call()

    assert {token.value.get_secret_value() for token in (*fresh, late)} == {"t2"}
    assert setting.login.count == 2


async def test_a_cancelled_waiter_does_not_take_the_login_with_it(setting: Setting) -> None:
    setting.login.gate.clear()
    first, second = (asyncio.create_task(setting.current()) for _ in range(2))
    await setting.settle()
    first.cancel()
    await setting.settle()
    setting.login.gate.set()

    assert await second == "t1"
    assert setting.login.count == 1


async def test_a_failing_server_is_asked_again_by_the_next_request(setting: Setting) -> None:
    setting.login.failures = [failing()]
    with pytest.raises(UpstreamError, match="Failing"):
        await setting.current()

    assert await setting.current() == "t2"


@pytest.mark.parametrize(("failure", "quiet_seconds"), [(failing(), 5.0), (refused(), 32.0)])
async def test_a_failed_refresh_leaves_the_token_in_use_and_waits_before_the_next(
    setting: Setting, failure: UpstreamError, quiet_seconds: float
) -> None:
    long_lived = AccessToken(
        SecretStr("long"), setting.clock.monotonic(), setting.clock.monotonic() + 1000.0
    )
    setting.tokens._token = long_lived
    setting.login.failures = [failure]

    for _ in range(10):
        assert await setting.current() == "long"
        await setting.settle()
    assert setting.login.count == 1

    setting.clock.advance(quiet_seconds)
    assert await setting.current() == "long"
    await setting.settle()
    assert setting.login.count == 2


async def test_a_rate_limited_login_is_waited_out_or_refused_by_each_as_their_time_allows(
    setting: Setting,
) -> None:
    class Limited(ScriptedLogin):
        @override
        async def __call__(self) -> AccessToken:
            if self.count == 0:
                self.count += 1
                setting.pause.extend(5.0)
                raise setting.pause.error()
            return await super().__call__()

    login = Limited(setting.clock)
    setting.tokens = setting.source(login)
    patient = asyncio.create_task(setting.current(seconds=8.0))
    hasty = asyncio.create_task(setting.current(seconds=3.0))
    await setting.settle()

    assert hasty.done()
    assert not patient.done()
    with pytest.raises(UpstreamError, match="5 seconds"):
        await hasty
    setting.clock.advance(5.0)
    assert await patient == "t2"


async def test_a_bug_in_the_login_reaches_who_waits_and_the_log_without_its_text(
    setting: Setting,
) -> None:
    setting.login.failures = [RuntimeError("canary")]

    with capture_logs() as logs, pytest.raises(RuntimeError):
        await setting.current()

    assert logs == [
        {
            "event": "upstream.task_crashed",
            "task": "infisical-login",
            "error_type": "RuntimeError",
            "log_level": "error",
        }
    ]
    assert await setting.current() == "t2"


async def test_closing_ends_a_running_login_and_tells_who_waits(setting: Setting) -> None:
    setting.login.gate.clear()
    waiting = asyncio.create_task(setting.current())
    await setting.settle()

    await setting.tokens.aclose()

    with pytest.raises(UpstreamError, match="shutting down"):
        await waiting


@pytest.mark.parametrize("reason", [reasons.ANSWER_UNREADABLE, reasons.REQUEST_REFUSED])
async def test_a_login_that_fails_at_once_is_not_sent_for_each_request(reason: str) -> None:
    setting = Setting()
    setting.login.failures = [UpstreamError("Look at it.", reason=reason) for _ in range(2)]

    for _ in range(10):
        with pytest.raises(UpstreamError, match=r"Look at it\."):
            await setting.current()
    assert setting.login.count == 1
    setting.clock.advance(1)
    with pytest.raises(UpstreamError):
        await setting.current()
    setting.clock.advance(1)

    assert await setting.current() == "t3"
