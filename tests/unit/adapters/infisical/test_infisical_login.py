"""The login call: what is sent, and what each answer means."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.infisical import reasons
from domain.model.errors import RateLimited, UpstreamError
from tests.support.infisical_model import CLIENT_ID, CLIENT_SECRET, Result, html, refusal
from tests.unit.adapters.infisical.conftest import CONFIG

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


async def test_the_login_sends_the_credentials_and_no_authorization(
    world: World, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine infisical.test login other password canary\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    world.model.put("KEY", "v")

    await world.get("KEY")

    login = world.model.logins[0]
    assert json.loads(login.body) == {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    assert "authorization" not in login.headers
    assert login.headers["content-type"] == "application/json"
    assert login.headers["user-agent"] == "wasmcloud-secrets/9.9.9"


async def test_the_token_lasts_as_long_as_the_answer_says_and_not_as_the_token_says(
    world: World,
) -> None:
    world.model.put("KEY", "v")
    world.model.token_seconds = 100
    await world.get("KEY")
    world.clock.advance(79.0)
    await world.get("KEY")
    assert len(world.model.logins) == 1

    world.clock.advance(17.0)
    await world.get("KEY")

    assert len(world.model.logins) == 2


@pytest.mark.parametrize("seconds", [0, 1_000_000_000, 7200.5, 10**30, 10**400])
async def test_unusual_lifetimes_are_fine(world: World, seconds: object) -> None:
    world.model.put("KEY", "v")
    world.model.token_seconds = seconds

    await world.get("KEY")
    await world.get("KEY")

    assert len(world.model.logins) == 1


async def test_the_login_names_the_organisation_only_where_one_is_configured(
    world: World,
) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    assert "organizationSlug" not in json.loads(world.model.logins[0].body)


@pytest.mark.parametrize("config", [CONFIG.model_copy(update={"organization_slug": "team-a"})])
async def test_the_login_is_for_the_configured_organisation(world: World) -> None:
    world.model.put("KEY", "v")

    await world.get("KEY")

    assert json.loads(world.model.logins[0].body)["organizationSlug"] == "team-a"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_from_a_refused_address_counts_as_no_wrong_secret(
    world: World, status: int
) -> None:
    words = "You are not allowed to access this resource from the current IP address"
    world.model.login_faults = [refusal(status, "ForbiddenError", words)]

    with pytest.raises(UpstreamError, match="IP address") as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.ADDRESS_REFUSED
    assert world.api.state().withheld is None
    world.clock.advance(1.0)
    world.model.put("KEY", "v")
    assert (await world.get("KEY")).value.reveal() == "v"


async def test_logins_that_collide_on_the_server_count_as_no_wrong_secret(world: World) -> None:
    world.model.put("KEY", "v")
    words = "Failed to acquire lock: rate limit exceeded"
    world.model.login_faults = [refusal(429, "RateLimitExceeded", words)]

    with pytest.raises(RateLimited) as failure:
        await world.get("KEY")

    # No seconds are named, so that ten are assumed.
    assert failure.value.retry_after == 10.0
    assert world.api.state().withheld is None
    world.clock.advance(10.0)
    assert (await world.get("KEY")).value.reveal() == "v"


OK = {"expiresIn": 7200, "accessToken": "t"}
INVALID = refusal(401, "UnauthorizedError", "Invalid credentials")
LOCKED = refusal(401, "UnauthorizedError", "temporarily locked, please try again later")
NO_IDENTITY = refusal(404, "NotFound", "No identity with specified client ID was found")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (INVALID, reasons.LOGIN_REFUSED),
        (NO_IDENTITY, reasons.LOGIN_REFUSED),
        (refusal(403, "UnauthorizedError", "Invalid credentials"), reasons.LOGIN_REFUSED),
        (refusal(401, "ValidationFailure", [{"code": "x"}]), reasons.LOGIN_REFUSED),
        (refusal(422, "ValidationFailure", [{"code": "x"}]), reasons.LOGIN_REFUSED),
        (LOCKED, reasons.LOGIN_LOCKED),
        (refusal(404, "Not Found", "Route POST:/x not found"), reasons.WRONG_ADDRESS),
        (html(200), reasons.WRONG_ADDRESS),
        (html(404), reasons.WRONG_ADDRESS),
        (Result(301, b"", {"location": "https://elsewhere.test/"}), reasons.WRONG_ADDRESS),
        (html(403), reasons.WRONG_ADDRESS),
        (Result(200, {}), reasons.WRONG_ADDRESS),
        (Result(200, {**OK, "accessToken": ""}), reasons.ANSWER_UNREADABLE),
        (Result(200, {**OK, "accessToken": "a\r\nb"}), reasons.ANSWER_UNREADABLE),
        (Result(200, {**OK, "accessToken": None}), reasons.ANSWER_UNREADABLE),
        (Result(200, {**OK, "expiresIn": True}), reasons.ANSWER_UNREADABLE),
        (Result(200, {**OK, "expiresIn": "7200"}), reasons.ANSWER_UNREADABLE),
        (Result(200, b"{", {"content-type": "application/json"}), reasons.WRONG_ADDRESS),
    ],
)
async def test_a_login_that_gives_no_token_is_an_upstream_error_after_one_try(
    world: World, answer: Result, reason: str
) -> None:
    world.model.login_faults = [answer]

    with capture_logs() as logs, pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reason
    assert len(world.model.calls) == 1
    events = [log["event"] for log in logs]
    is_refusal = reason in {reasons.LOGIN_REFUSED, reasons.LOGIN_LOCKED}
    is_foreign = reason == reasons.WRONG_ADDRESS
    first = "upstream.foreign_answer" if is_foreign else "infisical.login_failed"
    assert events == [first, "infisical.login_held_back"][: 1 + is_refusal]


@pytest.mark.parametrize("answer", [INVALID, NO_IDENTITY])
async def test_wrong_credentials_say_what_to_check(world: World, answer: Result) -> None:
    world.model.login_faults = [answer]

    with pytest.raises(UpstreamError, match="Failed to authenticate with Infisical"):
        await world.get("KEY")


@pytest.mark.parametrize(
    "fault", [refusal(500, "Find one", "Something went wrong"), html(502), html(503)]
)
async def test_a_login_that_fails_for_a_moment_is_tried_again(world: World, fault: Result) -> None:
    world.model.put("KEY", "v")
    world.model.login_faults = [fault, fault]

    assert (await world.get("KEY")).value.reveal() == "v"


async def test_a_login_that_keeps_failing_is_an_upstream_error(world: World) -> None:
    world.model.login_faults = [refusal(500, "Find one", "Something went wrong")] * 9

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.FAILING
    assert len(world.model.logins) == 5


async def test_limited_logins_do_not_stop_reads_with_a_good_token(world: World) -> None:
    world.model.put("KEY", "v")
    world.model.token_seconds = 100
    await world.get("KEY")
    limited = refusal(500, "InternalServerError", "Something went wrong", retry_after="59")
    world.model.login_faults = [limited]
    world.clock.advance(85.0)

    for _ in range(3):
        assert (await world.get("KEY")).value.reveal() == "v"
        await world.settle()

    assert len(world.model.logins) == 2


async def test_a_hanging_login_ends_with_the_request_and_later_by_itself(world: World) -> None:
    world.model.put("KEY", "v")
    world.gate.clear()
    waiting = asyncio.create_task(world.get("KEY", seconds=8.0))
    await world.settle()
    world.clock.advance(8.0)
    with pytest.raises(UpstreamError) as failure:
        await waiting
    assert failure.value.reason == reasons.TIMED_OUT

    world.clock.advance(2.0)
    await world.settle()
    world.gate.set()
    assert (await world.get("KEY")).value.reveal() == "v"
