"""What a real server answered to reads, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from domain.model.errors import SecretsError, UpstreamError
from tests.integration.infisical.recorded_refusals import ERRORS, NEVER_SENT
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
