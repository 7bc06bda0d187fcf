"""What a real server answered to reads, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from adapters.infisical import reasons
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from tests.support.infisical_server import InfisicalServer, Replay, recording, replay_any

if TYPE_CHECKING:
    from tests.integration.infisical.conftest import Adapter, OpenAdapter

VALUES = {
    "get_after_rename_new_name": "b",
    "get_after_renew_ok": "hello-world",
    "get_forbidden_path_only_nats": "nats://10.0.0.1:4222",
    "get_imported": "shared-a-dev",
    "get_imported_from_other_env": "prod-value",
    "get_imported_with_ref": "ref:shared-a-dev",
    "get_nested_folder": "nats://10.0.0.1:4222",
    "get_ok_deep_ref": "[<prefix-other-value-suffix>]",
    "get_ok_dollar": "costs $5 and ${ and $$ {}",
    "get_ok_empty": "",
    "get_ok_folder_ref": "nats://10.0.0.1:4222",
    "get_ok_json": '{"user":"svc","pass":"p@ss\\"word","n":[1,2,3]}',
    "get_ok_large": "A" * 61_440,
    "get_ok_lower_case": "lower",
    "get_ok_multi": "v4",
    "get_ok_multiline": "-----BEGIN KEY-----\nline1\nline2\n-----END KEY-----\n",
    "get_ok_name_with_space": "spaced name",
    "get_ok_nested_ref": "<prefix-other-value-suffix>",
    "get_ok_plain": "hello-world",
    "get_ok_prod_folder_ref": "nats://prod:4222",
    "get_ok_prod_ref": "from-prod:prod-value",
    "get_ok_spaces": "padded value",
    "get_ok_tagged": "tagged-value",
    "get_ok_unicode": "pässwörd-日本語-🔐\ttab",
    "get_ok_with_dash_and_dot": "dotted",
    "get_ok_with_ref": "prefix-other-value-suffix",
    "get_own_beats_imported": "hello-world",
    "get_prod_env": "hello-prod",
    "get_ref_root_from_folder": "leak:hello-world",
    "get_token_of_revoked_client_secret": "hello-world",
    "get_version_4": "v4",
}

NOT_FOUND = (SecretNotFound, "secret_not_found")
NO_FOLDER = (SecretNotFound, reasons.FOLDER_NOT_FOUND)
OTHER_VERSION = (SecretNotFound, reasons.VERSION_IGNORED)
NO_VERSION = (InvalidRequest, "version_malformed")
NO_PROJECT = (UpstreamError, reasons.PROJECT_NOT_FOUND)
STRANGER = (Unauthorized, reasons.NOT_A_MEMBER)
DENIED = (Unauthorized, reasons.READ_DENIED)
UNRESOLVED = (UpstreamError, reasons.REFERENCE_UNRESOLVED)
TOKEN = (UpstreamError, reasons.TOKEN_REFUSED)
FAILING = (StoreUnavailable, reasons.FAILING)
LIMITED = (RateLimited, reasons.RATE_LIMITED)
REFUSED = (UpstreamError, reasons.REQUEST_REFUSED)
NO_ROUTE = (StoreUnavailable, reasons.NOT_ANSWERING)

ERRORS: dict[str, tuple[type[SecretsError], str]] = {
    "get_after_failed_renew": TOKEN,
    "get_after_rename_old_name": NOT_FOUND,
    "get_deleted_secret": NOT_FOUND,
    "get_empty_folder": NOT_FOUND,
    "get_environment_name_instead_of_slug": NO_FOLDER,
    "get_expired_token_jwt": TOKEN,
    "get_expired_token_ttl": TOKEN,
    "get_expired_token_ttl_second_try": TOKEN,
    "get_forbidden_no_access_role": DENIED,
    "get_forbidden_no_access_role_missing_secret": DENIED,
    "get_forbidden_no_membership": STRANGER,
    "get_forbidden_path_only": DENIED,
    "get_forbidden_path_only_missing_secret": DENIED,
    "get_identity_deleted": TOKEN,
    "get_imported_forbidden_source": NOT_FOUND,
    "get_membership_removed": STRANGER,
    "get_nested_folder_uppercase": NO_FOLDER,
    "get_not_found": NOT_FOUND,
    "get_ok_cycle_a": UNRESOLVED,
    "get_ok_missing_ref": UNRESOLVED,
    "get_ok_self_ref": UNRESOLVED,
    "get_old_project_v1": NO_PROJECT,
    "get_path_only_ref_outside": DENIED,
    "get_project_identity_not_member": STRANGER,
    "get_project_not_uuid": NO_PROJECT,
    "get_ref_to_empty_secret": UNRESOLVED,
    "get_ref_to_forbidden_place": DENIED,
    "get_tampered_token": TOKEN,
    "get_version_0": NO_VERSION,
    "get_version_1": OTHER_VERSION,
    "get_version_2": OTHER_VERSION,
    "get_version_empty": NO_VERSION,
    "get_version_missing": OTHER_VERSION,
    "get_version_not_number": NO_VERSION,
    "get_with_revoked_token": TOKEN,
    "get_wrong_case": NOT_FOUND,
    "get_wrong_environment": NO_FOLDER,
    "get_wrong_path": NO_FOLDER,
    "get_wrong_project": NO_PROJECT,
    "postgres_down_get": FAILING,
    "rate_limited_get_secret": LIMITED,
    "rate_limited_other_identity_same_ip": LIMITED,
    "redis_down_get_no_limiter": (CallFailed, reasons.FAILING),
    "uses_limit3_call_4": TOKEN,
    "uses_limit3_call_5": TOKEN,
}

NEVER_SENT: dict[str, tuple[type[SecretsError], str]] = {
    "get_basic_auth": TOKEN,
    "get_bool_param_invalid": REFUSED,
    "get_by_workspace_slug_wrong": FAILING,
    "get_duplicate_query_param": REFUSED,
    "get_empty_bearer": TOKEN,
    "get_empty_path": NO_FOLDER,
    "get_garbage_token": TOKEN,
    "get_if_none_match_hit": NO_ROUTE,
    "get_missing_environment": REFUSED,
    "get_missing_workspace": REFUSED,
    "get_name_101_chars": NO_ROUTE,
    "get_name_bad_percent_encoding": REFUSED,
    "get_name_percent_null": FAILING,
    "get_name_with_unescaped_slash": NO_ROUTE,
    "get_nested_folder_dotdot": FAILING,
    "get_nested_folder_double_slash": NO_FOLDER,
    "get_nested_folder_no_leading_slash": NO_FOLDER,
    "get_no_token": TOKEN,
    "get_path_glob": FAILING,
    "get_path_percent_null": FAILING,
    "get_type_invalid": REFUSED,
    "redis_down_get_no_token": TOKEN,
}


def open_as_recorded(
    open_adapter: OpenAdapter, server: InfisicalServer, recorded: dict[str, Any], **settings: Any
) -> tuple[Adapter, str, str | None]:
    """Configure the adapter so that it sends the recorded request; return key and version too."""
    request = recorded["request"]
    query = request["query"]
    adapter = open_adapter(
        server.url,
        project_id=query["workspaceId"],
        environment=query["environment"],
        secret_path=query["secretPath"],
        **settings,
    )
    version = str(query["version"]) if "version" in query else None
    return adapter, unquote(request["path"].rpartition("/")[2]), version


@pytest.mark.parametrize(("name", "value"), VALUES.items(), ids=VALUES)
async def test_a_recorded_value_is_served_exactly(
    open_adapter: OpenAdapter, name: str, value: str
) -> None:
    recorded = recording(name)
    async with InfisicalServer(Replay("login_ok", name, own="get_ok_multi")) as server:
        adapter, key, version = open_as_recorded(open_adapter, server, recorded)

        secret = await adapter.get(key, version)

    assert secret.value.reveal() == value
    assert secret.version == str(recorded["response"]["body"]["secret"]["version"])


@pytest.mark.parametrize(("name", "expected"), ERRORS.items(), ids=ERRORS)
async def test_a_recorded_refusal_is_a_typed_error(
    open_adapter: OpenAdapter, name: str, expected: tuple[type[SecretsError], str]
) -> None:
    async with InfisicalServer(Replay("login_ok", name)) as server:
        adapter, key, version = open_as_recorded(open_adapter, server, recording(name))

        with pytest.raises(SecretsError) as failure:
            await adapter.get(key, version)

    assert (type(failure.value), failure.value.reason) == expected


@pytest.mark.parametrize(("name", "expected"), NEVER_SENT.items(), ids=NEVER_SENT)
async def test_a_refusal_of_a_request_that_is_never_sent_is_no_surprise_either(
    open_adapter: OpenAdapter, name: str, expected: tuple[type[SecretsError], str]
) -> None:
    async with InfisicalServer(replay_any(name)) as server:
        with pytest.raises(SecretsError) as failure:
            await open_adapter(server.url).get("PLAIN")

    assert (type(failure.value), failure.value.reason) == expected


@pytest.mark.parametrize(
    "name", ["get_ok_missing_ref", "get_ok_cycle_a", "get_ref_to_empty_secret"]
)
async def test_unresolved_references_are_passed_on_when_configured(
    open_adapter: OpenAdapter, name: str
) -> None:
    async with InfisicalServer(Replay("login_ok", name)) as server:
        adapter, key, _ = open_as_recorded(
            open_adapter, server, recording(name), unresolved_references="allow"
        )

        secret = await adapter.get(key)

    assert secret.value.reveal() == recording(name)["response"]["body"]["secret"]["secretValue"]


async def test_a_rate_limit_stops_further_calls_and_says_when_to_try_again(
    open_adapter: OpenAdapter,
) -> None:
    replay = Replay("login_ok", "rate_limited_get_secret")
    async with InfisicalServer(replay) as server:
        adapter, key, _ = open_as_recorded(
            open_adapter, server, recording("rate_limited_get_secret")
        )
        for _ in range(3):
            with pytest.raises(UpstreamError, match=r"try again in 5[89] seconds"):
                await adapter.get(key)

    reads = [call.path for call in replay.calls if "/v3/secrets/" in call.path]
    assert len(reads) == 1


async def test_a_token_limited_to_three_calls_costs_a_login_every_three_calls(
    open_adapter: OpenAdapter,
) -> None:
    used: list[str] = []
    logins = 0

    async with InfisicalServer() as server:
        model = server.model
        model.put("PLAIN", "v")
        adapter = open_adapter(server.url)
        for _ in range(7):
            assert (await adapter.get("PLAIN")).value.reveal() == "v"
            token = model.reads[-1].headers["authorization"]
            used.append(token)
            if used.count(token) == 3:
                model.valid_tokens.clear()
        logins = len(model.logins)

    assert logins == 3
