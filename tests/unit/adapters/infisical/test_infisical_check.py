"""The check at start: what is an operator's mistake, what heals, what is fine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from ports.store_check import (
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)
from tests.support.infisical_model import Result, html, refusal
from tests.unit.adapters.infisical.conftest import unreachable

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World


async def test_a_good_configuration_passes_with_one_login_and_one_read(world: World) -> None:
    await world.check.check()

    assert (len(world.model.logins), len(world.model.reads)) == (1, 1)


async def test_the_refusal_that_a_check_hopes_for_is_no_record_for_operators(world: World) -> None:
    with capture_logs() as logs:
        await world.check.check()

    refused = [record for record in logs if record["event"] == "infisical.read_refused"]
    assert [(r["log_level"], r["reason"]) for r in refused] == [("debug", "secret_not_found")]


async def test_a_secret_of_the_probe_s_name_does_not_hurt(world: World) -> None:
    world.model.put("WASMCLOUD_SECRETS_PROBE_THAT_NOBODY_STORES", "v")

    await world.check.check()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (refusal(401, "UnauthorizedError", "Invalid credentials"), "Failed to authenticate with"),
        (refusal(404, "NotFound", "No identity with specified"), "Failed to authenticate with"),
        (html(200), "INFISICAL_BASE_URL"),
        (refusal(404, "Not Found", "Route POST:/api/x not found"), "INFISICAL_BASE_URL"),
    ],
)
async def test_a_login_that_is_refused_or_a_wrong_address_leaves_the_replica_not_ready(
    world: World, answer: Result, text: str
) -> None:
    world.model.login_faults = [answer]

    with pytest.raises(StoreUnreachableError, match=text):
        await world.check.check()


NO_MEMBER = "Identity is not a member of the organization"
OTHER_ORGANIZATION = "This project does not belong to your selected organization."
FOLDER = "Folder with path '/' in environment with slug 'prod' not found"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (refusal(404, "Create secret", "Folder not found for the"), "INFISICAL_ENVIRONMENT"),
        (refusal(404, "GetSecretByName", FOLDER), "INFISICAL_SECRET_PATH"),
        (refusal(404, "NotFound", "Project not found during bot"), "INFISICAL_PROJECT_ID"),
        (refusal(403, "Identity is not a member of the specified project", "x"), "member"),
        # As servers of 2025 and 2026 word it (read in their code).
        (refusal(403, "You are not member of this project", "x"), "member"),
        (
            refusal(403, "ForbiddenError", "You are not a member of this project with ID 1"),
            "member",
        ),
        (
            refusal(401, "UnauthorizedError", "Identity is not a member of the organization"),
            "member",
        ),
        (
            refusal(401, "UnauthorizedError", "Identity organization membership is inactive"),
            "inactive",
        ),
        (refusal(403, OTHER_ORGANIZATION, "x"), "INFISICAL_ORGANIZATION_SLUG"),
        (refusal(403, "ForbiddenError", OTHER_ORGANIZATION), "INFISICAL_ORGANIZATION_SLUG"),
        (refusal(400, "BadRequest", "The project is of type kms."), "type"),
        (refusal(400, "BadRequest", "Invalid folder name"), "INFISICAL_SECRET_PATH"),
        # As the rewrite in Go does.
        (refusal(404, "NotFound", "Environment not found"), "INFISICAL_ENVIRONMENT"),
    ],
)
async def test_a_place_that_does_not_exist_is_a_misconfiguration(
    world: World, answer: Result, text: str
) -> None:
    world.model.faults = [answer]

    with pytest.raises(StoreMisconfiguredError, match=text):
        await world.check.check()


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, "NotFound", "Sub organization with name canary not found"),
        refusal(401, "UnauthorizedError", "Identity not authorized to access sub organization x"),
    ],
)
async def test_a_sub_organisation_that_is_not_the_identity_s_is_a_misconfiguration(
    world: World, answer: Result
) -> None:
    world.model.login_faults = [answer]

    with pytest.raises(StoreMisconfiguredError, match="INFISICAL_ORGANIZATION_SLUG") as failure:
        await world.check.check()

    assert "canary" not in str(failure.value)
    # The secret was right: nothing is held back.
    assert world.api.state().withheld is None


async def test_rights_limited_to_folders_below_pass_with_a_warning(world: World) -> None:
    world.model.faults = [refusal(403, "PermissionDenied", "You are not allowed to read")]

    with capture_logs() as logs:
        await world.check.check()

    refused = [r["log_level"] for r in logs if r["event"] == "infisical.read_refused"]
    assert refused == ["info"]
    assert logs[-1]["event"] == "infisical.check_inconclusive"


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, "Find one", "Something went wrong"),
        html(502),
        refusal(429, "RateLimitExceeded", "Please try again in 60 seconds"),
        refusal(401, "UnauthorizedError", "temporarily locked, please try again later"),
    ],
)
async def test_what_may_heal_is_unreachable(world: World, answer: Result) -> None:
    world.model.login_faults = [answer] * 5

    with pytest.raises(StoreUnreachableError, match=r"https://infisical\.test"):
        await world.check.check()


async def test_a_server_that_limits_the_rate_is_up(world: World) -> None:
    world.model.faults = [refusal(429, "RateLimitExceeded", "later", retry_after="60")]

    with pytest.raises(StoreLimitedError, match="limits the rate"):
        await world.check.check()


async def test_while_reads_are_held_back_a_check_costs_none_and_has_none_kept(
    world: World,
) -> None:
    world.model.faults = [refusal(429, "RateLimitExceeded", "later", retry_after="60")]
    with pytest.raises(StoreLimitedError):
        await world.check.check()
    reads = len(world.model.reads)
    world.clock.advance(20.0)

    for _ in range(10):
        with pytest.raises(StoreLimitedError, match="no read for 40 seconds"):
            await world.check.check()

    assert len(world.model.reads) == reads
    world.clock.advance(40.0)
    await world.check.check()


async def test_a_server_that_is_not_there_is_unreachable(world: World) -> None:
    world.connection_faults = [unreachable()] * 5

    with pytest.raises(StoreUnreachableError, match="INFISICAL_BASE_URL"):
        await world.check.check()


async def test_a_hanging_server_is_unreachable(world: World) -> None:
    await world.check.check()
    world.gate.clear()
    checking = asyncio.create_task(world.check.check())
    await world.settle()
    world.clock.advance(9.0)

    with pytest.raises(StoreUnreachableError, match="8 seconds"):
        await checking


async def test_a_check_that_passed_leaves_the_token_for_the_first_request(world: World) -> None:
    world.model.put("KEY", "v")
    await world.check.check()

    await world.get("KEY")

    assert len(world.model.logins) == 1
