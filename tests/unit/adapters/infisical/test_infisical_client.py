"""Which calls are made for a secret, and which answers lead to another call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import SecretNotFound, StoreUnavailable, Unauthorized, UpstreamError
from tests.support.infisical_generations import OF_2024
from tests.support.infisical_model import PROJECT_ID, Call, Result, html, refusal
from tests.unit.adapters.infisical.conftest import timed_out, unreachable, with_v4

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.infisical.login import AccessToken
    from adapters.upstream.engine import TransportError
    from tests.unit.adapters.infisical.conftest import World

FAULT = refusal(500, "Find one", "Something went wrong")
ROUTE = refusal(404, "Not Found", "Route GET:/api/v4/secrets/KEY?x=y not found")


def limited(seconds: int) -> Result:
    return refusal(500, "InternalServerError", "Something went wrong", retry_after=str(seconds))


@with_v4
async def test_every_flag_is_sent_explicitly(world: World) -> None:
    world.model.put("KEY", "v", folder="/a/b c")

    await world.get("a/b c/KEY", "1")

    call = world.model.reads[0]
    assert (call.method, call.path) == ("GET", "/api/v4/secrets/KEY")
    assert call.query == {
        "projectId": PROJECT_ID,
        "environment": "prod",
        "secretPath": "/a/b c",
        "type": "shared",
        "viewSecretValue": "true",
        "expandSecretReferences": "true",
        "include_imports": "false",
        "includeImports": "false",
        "version": "1",
    }
    await world.get("a/b c/KEY")
    latest = world.model.reads[-1].query
    assert (latest["include_imports"], latest["includeImports"]) == ("true", "true")
    assert "version" not in latest
    assert call.headers["authorization"] == "Bearer canary-access-token-1"
    assert call.headers["user-agent"] == "wasmcloud-secrets/9.9.9"
    assert "cookie" not in call.headers


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("with space", "with%20space"),
        ("with-dash.and.dot", "with-dash%2Eand%2Edot"),
        ("...", "%2E%2E%2E"),
        ("a%2Fb", "a%252Fb"),
        ("a?b#c&d=e;f\\g", "a%3Fb%23c%26d%3De%3Bf%5Cg"),
        ("ключ-🔐", "%D0%BA%D0%BB%D1%8E%D1%87-%F0%9F%94%90"),
    ],
)
@with_v4
async def test_a_name_is_encoded_whole(world: World, name: str, encoded: str) -> None:
    world.model.put(name, "v")

    assert (await world.get(name)).value.reveal() == "v"
    assert world.model.reads[0].path == f"/api/v4/secrets/{encoded}"


@pytest.mark.parametrize("generation", [OF_2024], ids=["2024"])
async def test_a_server_without_v4_is_found_out_once(world: World) -> None:
    world.model.put("KEY", "v")

    for _ in range(3):
        assert (await world.get("KEY")).value.reveal() == "v"

    assert [call.path for call in world.model.calls[1:]] == [
        "/api/v4/secrets/KEY",
        *["/api/v3/secrets/raw/KEY"] * 3,
    ]
    assert world.model.reads[0].query["workspaceId"] == PROJECT_ID
    assert "projectId" not in world.model.reads[0].query


@pytest.mark.parametrize("answer", [html(200), html(404), html(405), Result(302), ROUTE])
@with_v4
async def test_a_page_instead_of_the_route_means_the_same(world: World, answer: Result) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [answer]

    await world.get("KEY")
    await world.get("KEY")

    assert [call.path.split("/")[2] for call in world.model.reads] == ["v4", "v3", "v3"]


async def test_a_missing_secret_does_not_lead_to_the_older_route(world: World) -> None:
    with pytest.raises(SecretNotFound):
        await world.get("NOPE")

    assert len(world.model.reads) == 1


@with_v4
async def test_a_proxy_in_the_way_of_both_routes_is_not_remembered(world: World) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [html(404), html(404)]

    with pytest.raises(UpstreamError) as failure:
        await world.get("KEY")
    await world.get("KEY")

    assert failure.value.reason == reasons.NOT_ANSWERING
    assert [call.path.split("/")[2] for call in world.model.reads] == ["v4", "v3", "v4"]


@pytest.mark.parametrize(
    "page",
    [
        html(200),
        html(403),
        html(404),
        Result(302),
        Result(404, b"no", {"content-type": "text/x"}),
    ],
)
@with_v4
async def test_once_a_route_has_answered_a_page_there_is_an_outage_that_is_tried_again(
    world: World, page: Result
) -> None:
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.faults = [page, page]
    assert (await world.get("KEY")).value.reveal() == "v"

    world.model.faults = [page] * 9
    with pytest.raises(StoreUnavailable) as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.NOT_ANSWERING
    assert {call.path.split("/")[2] for call in world.model.reads} == {"v4"}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_address_says_so_and_is_no_reason_to_log_in_again(
    world: World, status: int
) -> None:
    words = "You are not allowed to access this resource from the current IP address"
    world.model.faults = [refusal(status, "ForbiddenError", words)]

    with pytest.raises(UpstreamError, match="IP address") as failure:
        await world.get("KEY")

    assert failure.value.reason == reasons.ADDRESS_REFUSED
    assert len(world.model.logins) == 1


@with_v4
async def test_a_server_error_of_the_older_route_proves_nothing(world: World) -> None:
    world.model.put("KEY", "v")
    world.model.faults = [html(404), *[FAULT] * 5]

    with pytest.raises(UpstreamError):
        await world.get("KEY")
    await world.get("KEY")

    assert world.model.reads[-1].path.startswith("/api/v4/")


async def test_a_server_that_lost_the_older_route_is_asked_by_the_newer(world: World) -> None:
    world.model.v4 = False
    world.model.put("KEY", "v")
    await world.get("KEY")
    world.model.v4 = True
    world.model.faults = [refusal(404, "Not Found", "Route GET:/api/v3/x not found")]

    assert (await world.get("KEY")).value.reveal() == "v"


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
    tokens = world.api._tokens

    def refuse_while_another_logs_in(_: Call) -> Result:
        tokens.reject(await_free(tokens.current(0.0)))
        tokens._start()
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
    tokens = world.api._tokens
    world.model.faults = [REFUSED_TOKENS[0]] * 3
    # All tokens look as if they had been there before.
    reject, world.api._tokens.reject = tokens.reject, lambda token: reject(token) + 9  # type: ignore[method-assign]  # to see the bound alone

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
