"""What `check` says of each store behind HTTP, with its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.integration.service.looking import (
    FAILED,
    MISCONFIGURED,
    WELL,
    Look,
    Settings,
    expect,
    said,
)
from tests.support.environments import local_infisical_environment
from tests.support.infisical_model import html, refusal
from tests.support.infisical_server import Break, InfisicalServer
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.support.vault_server import VaultServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        yield server


@pytest.fixture
def on_infisical(
    infisical: InfisicalServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> Settings:
    return local_infisical_environment(infisical, nats_url, subject_prefix, tmp_path)


@pytest.mark.parametrize(
    ("changed", "end", "words"),
    [
        ({}, WELL, "Infisical takes the service's login and answers"),
        ({"INFISICAL_CLIENT_SECRET": "canary-wrong"}, FAILED, "Failed to authenticate with"),
        ({"INFISICAL_ENVIRONMENT": "nowhere"}, MISCONFIGURED, "check INFISICAL_ENVIRONMENT"),
        ({"INFISICAL_BASE_URL": "http://127.0.0.1:1"}, FAILED, "cannot be reached; check"),
        (
            {"INFISICAL_BASE_URL": "http://store.test", "HTTP_PROXY": "http://127.0.0.1:1"},
            FAILED,
            "by way of the proxy in HTTP_PROXY",
        ),
    ],
)
async def test_infisical_as_it_is_set(
    look: Look, on_infisical: Settings, changed: Settings, end: tuple[int, str], words: str
) -> None:
    await expect(look, on_infisical | changed, end, words)


@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        (refusal(404, "NotFound", "Project not found"), MISCONFIGURED, "INFISICAL_PROJECT_ID"),
        (refusal(403, "x", "You are not member of this project"), MISCONFIGURED, "not a member"),
        (refusal(429, "RateLimitExceeded", "Rate limit"), FAILED, "limits the rate"),
        (html(200), FAILED, "Something other than Infisical answers"),
    ],
)
async def test_infisical_as_it_answers(
    look: Look,
    infisical: InfisicalServer,
    on_infisical: Settings,
    *,
    answer: Any,
    end: tuple[int, str],
    words: str,
) -> None:
    infisical.model.faults = [answer] * 4

    await expect(look, on_infisical, end, words)


async def test_an_address_without_the_api_behind_it(
    look: Look, infisical: InfisicalServer, on_infisical: Settings
) -> None:
    infisical.model.login_faults = [html(404)]

    await expect(look, on_infisical, FAILED, "No Infisical API answers at INFISICAL_BASE_URL")


async def test_rights_that_are_limited_to_folders_are_shown_beside_a_good_login(
    look: Look, infisical: InfisicalServer, on_infisical: Settings
) -> None:
    infisical.model.faults = [refusal(403, "PermissionDenied", "You are not allowed to read")]

    findings = await look(on_infisical)

    assert findings.exit_code == 0
    assert "not read the configured folder" in said(findings, "warning", "store")


@pytest_asyncio.fixture
async def vault() -> AsyncIterator[VaultServer]:
    async with VaultServer() as server:
        yield server


@pytest.fixture
def on_vault(vault: VaultServer, nats_url: str, subject_prefix: str) -> Settings:
    return {
        "SECRET_STORE": "vault",
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "VAULT_ADDR": vault.url,
        "VAULT_LOGIN": "approle",
        "VAULT_ROLE_ID": ROLE_ID,
        "VAULT_SECRET_ID": SECRET_ID,
    }


@pytest.mark.parametrize(
    ("changed", "end", "words"),
    [
        ({}, WELL, "takes the service's login and answers"),
        ({"VAULT_SECRET_ID": "canary-wrong"}, FAILED, "Failed to authenticate with Vault"),
        ({"VAULT_MOUNT": "nomount"}, MISCONFIGURED, 'path "nomount/data/*"'),
        ({"VAULT_NAMESPACE": "nowhere"}, MISCONFIGURED, "does not know the namespace"),
        ({"VAULT_ADDR": "http://127.0.0.1:1"}, FAILED, "cannot be reached; check VAULT_ADDR"),
    ],
)
async def test_vault_as_it_is_set(
    look: Look, on_vault: Settings, changed: Settings, end: tuple[int, str], words: str
) -> None:
    await expect(look, on_vault | changed, end, words)


@pytest.mark.parametrize(
    ("name", "end", "words"),
    [
        ("sealed_read", FAILED, "Unseal Vault"),
        ("quota_block_3", FAILED, "limits the rate"),
        ("garbage_batch_token", MISCONFIGURED, "token"),
    ],
)
async def test_vault_as_a_real_one_answered(
    look: Look,
    vault: VaultServer,
    on_vault: Settings,
    *,
    name: str,
    end: tuple[int, str],
    words: str,
) -> None:
    vault.instead = [name] * 8

    await expect(look, on_vault | {"VAULT_KV_VERSION": "2"}, end, words)


async def test_a_policy_of_vault_that_names_folders_is_shown_beside_a_good_login(
    look: Look, vault: VaultServer, on_vault: Settings
) -> None:
    vault.model.denied.add("secret/data/wasmcloud-secrets-probe-that-is-never-stored")

    findings = await look(on_vault | {"VAULT_KV_VERSION": "2"})

    assert findings.exit_code == 0
    assert 'path "secret/data/*"' in said(findings, "warning", "store")


@pytest.mark.parametrize("variable", ["VAULT_WRAPPED_SECRET_ID", "VAULT_WRAPPED_SECRET_ID_FILE"])
async def test_a_wrapping_token_is_left_for_the_service_to_open(
    look: Look, vault: VaultServer, on_vault: Settings, tmp_path: Path, variable: str
) -> None:
    token = "canary-wrapping-token"
    vault.model.logins.wrapped[token] = ("auth/approle/role/demo/secret-id", SECRET_ID)
    given = token
    if variable.endswith("FILE"):
        (tmp_path / "token").write_text(token)
        given = str(tmp_path / "token")
    settings = on_vault | {"VAULT_SECRET_ID": "", "VAULT_ROLE": "demo", variable: given}

    findings = await look(settings)

    assert findings.exit_code == 0
    assert "The login was not tried" in said(findings, "ok", "store")
    assert token in vault.model.logins.wrapped
    assert not any("unwrap" in target for target in vault.targets)


async def test_a_store_that_hangs_is_given_up_in_time(
    look: Look, infisical: InfisicalServer, on_infisical: Settings
) -> None:
    infisical.login_breaks = [Break.HANG] * 40

    await expect(look, on_infisical | {"INFISICAL_READ_TIMEOUT_SECONDS": "0.5"}, FAILED, "in time")
