"""What a real server answered to logins, and what the check at start makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.infisical import reasons
from domain.model.errors import UpstreamError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.support.infisical_model import PROJECT_ID
from tests.support.infisical_server import InfisicalServer, Replay, recorded_result, replay_any

if TYPE_CHECKING:
    from tests.integration.infisical.conftest import OpenAdapter

GOOD = ["login_ok", "login_padded_whitespace", "login_secret_use_limit_first"]

REFUSED = [
    "login_client_id_not_uuid",
    "login_empty_strings",
    "login_missing_both",
    "login_missing_client_secret",
    "login_no_body",
    "login_null_secret",
    "login_revoked_client_secret",
    "login_secret_expired",
    "login_secret_expired_again",
    "login_secret_use_limit_exceeded",
    "login_secret_use_limit_exceeded_again",
    "login_with_expired_authorization_header",
    "login_with_garbage_authorization_header",
    "login_wrong_client_id",
    "login_wrong_content_type",
    "login_wrong_secret",
]

OTHERWISE = {
    "login_malformed_json": reasons.FAILING,
    "login_wrong_method_get": reasons.WRONG_ADDRESS,
    "login_wrong_path_prefix": reasons.WRONG_ADDRESS,
    "postgres_down_login": reasons.FAILING,
    "rate_limited_login": reasons.RATE_LIMITED,
    "redis_down_login": reasons.FAILING,
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_recorded_login_gives_a_token(open_adapter: OpenAdapter, name: str) -> None:
    replay = Replay(name, "get_ok_plain")
    async with InfisicalServer(replay) as server:
        adapter = open_adapter(server.url, project_id=PROJECT_ID, environment="dev")

        assert (await adapter.get("PLAIN")).value.reveal() == "hello-world"

    assert replay.calls[-1].headers["authorization"] == "Bearer canary-recorded-token"


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_credentials_are_told_to_the_operator(
    open_adapter: OpenAdapter, name: str
) -> None:
    async with InfisicalServer(lambda _: recorded_result(name)) as server:
        adapter = open_adapter(server.url)

        with pytest.raises(StoreUnreachableError, match="Failed to authenticate with Infisical"):
            await adapter.check.check()
        with pytest.raises(UpstreamError) as failure:
            await adapter.get("PLAIN")

    assert failure.value.reason == reasons.LOGIN_REFUSED


@pytest.mark.parametrize(("name", "reason"), OTHERWISE.items(), ids=OTHERWISE)
async def test_any_other_recorded_end_of_a_login_is_an_upstream_error(
    open_adapter: OpenAdapter, name: str, reason: str
) -> None:
    async with InfisicalServer(lambda _: recorded_result(name)) as server:
        with pytest.raises(UpstreamError) as failure:
            await open_adapter(server.url).get("PLAIN")

    assert failure.value.reason == reason


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("get_wrong_environment", StoreMisconfiguredError),
        ("get_wrong_path", StoreMisconfiguredError),
        ("get_wrong_project", StoreMisconfiguredError),
        ("get_project_not_uuid", StoreMisconfiguredError),
        ("get_old_project_v1", StoreMisconfiguredError),
        ("get_forbidden_no_membership", StoreMisconfiguredError),
        ("unknown_route", StoreUnreachableError),
        ("postgres_down_get", StoreUnreachableError),
        ("redis_down_get_no_limiter", StoreUnreachableError),
        ("rate_limited_get_secret", StoreUnreachableError),
    ],
)
async def test_the_check_tells_mistakes_from_outages(
    open_adapter: OpenAdapter, name: str, error: type[Exception]
) -> None:
    async with InfisicalServer(replay_any(name)) as server:
        with pytest.raises(error):
            await open_adapter(server.url).check.check()


@pytest.mark.parametrize("name", ["get_not_found", "get_forbidden_path_only_missing_secret"])
async def test_the_check_passes_where_a_missing_secret_is_all_that_is_wrong(
    open_adapter: OpenAdapter, name: str
) -> None:
    async with InfisicalServer(replay_any(name)) as server:
        await open_adapter(server.url).check.check()
