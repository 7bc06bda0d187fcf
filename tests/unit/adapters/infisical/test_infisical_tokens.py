"""One token for all calls: fetched once, ahead of time, and never by force."""

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.login import AccessToken, UniversalAuthLogin
from adapters.infisical.tokens import TokenSource
from adapters.upstream.cooldown import Cooldown
from adapters.upstream.lockout import LockoutConfig, LockoutGuard
from adapters.upstream.login_peers import LoginPeers
from domain.model.errors import UpstreamError
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus
from tests.unit.adapters.upstream.http_rig import CONFIG

LIFETIME = 100.0


class ScriptedLogin(UniversalAuthLogin):
    """Gives tokens that last 100 s, to be refreshed after 80, or fails as told."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.count = 0
        self.failures: list[Exception] = []
        self.may_change = False
        self.changed = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    @override
    def credentials_may_change(self) -> bool:
        return self.may_change

    @override
    async def credentials_changed(self) -> None:
        await self.changed.wait()
        self.changed.clear()

    @override
    async def __call__(self) -> AccessToken:
        self.count += 1
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        now = self.clock.monotonic()
        return AccessToken(SecretStr(f"t{self.count}"), now + 0.8 * LIFETIME, now + LIFETIME)


class NoWaiting(FakeClock):
    """For the turns of logins, which have tests of their own."""

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Setting:
    """A token source with its collaborators."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.login = ScriptedLogin(self.clock)
        self.pause = Cooldown(CONFIG, self.clock)
        self.chance = 0.0
        self.refusals = LockoutGuard(LockoutConfig(), self.clock, lambda: self.chance)
        self.bus = FakePeerBus()
        self.tokens = self.source(self.login)

    def source(self, login: ScriptedLogin) -> TokenSource:
        peers = LoginPeers(self.bus, "identity", NoWaiting(), lambda: 0.0)
        return TokenSource(login, self.pause, self.refusals, self.clock, peers)

    @property
    def refusals_told(self) -> int:
        events = [json.loads(payload)["event"] for _, payload in self.bus.sent]
        return events.count("refused")

    async def current(self, seconds: float = 8.0) -> str:
        token = await self.tokens.current(self.clock.monotonic() + seconds)
        return token.value.get_secret_value()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def refused() -> UpstreamError:
    return UpstreamError("Refused.", reason=reasons.LOGIN_REFUSED)


def failing() -> UpstreamError:
    return UpstreamError("Failing.", reason=reasons.FAILING)


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
        setting.tokens.confirm()
        setting.tokens.reject(token)

    assert await setting.current() == "t21"


async def test_closing_ends_the_wait_for_other_credentials(setting: Setting) -> None:
    setting.login.may_change = True
    setting.login.failures = [refused()]
    with pytest.raises(UpstreamError):
        await setting.current()

    await setting.tokens.aclose()

    assert {task.get_name() for task in asyncio.all_tasks()} & {"infisical-credentials"} == set()


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
