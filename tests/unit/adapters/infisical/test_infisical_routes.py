"""Which route a read takes, and what it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import SecretNotFound, StoreUnavailable, UpstreamError
from tests.support.infisical_generations import OF_2024
from tests.support.infisical_model import PROJECT_ID, Result, html, refusal
from tests.unit.adapters.infisical.conftest import with_v4

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


FAULT = refusal(500, "Find one", "Something went wrong")


ROUTE = refusal(404, "Not Found", "Route GET:/api/v4/secrets/KEY?x=y not found")


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
