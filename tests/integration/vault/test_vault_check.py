"""What the check at start says about address, login, mount and rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ports.store_check import StoreLimitedError, StoreMisconfiguredError, StoreUnreachableError
from tests.support.vault_logins import MAX_WRONG, ROLE_ID, SECRET_ID

if TYPE_CHECKING:
    from tests.integration.vault.conftest import OpenAdapter
    from tests.support.vault_server import VaultServer

APPROLE = {"VAULT_LOGIN": "approle", "VAULT_ROLE_ID": ROLE_ID, "VAULT_SECRET_ID": SECRET_ID}
PROBE = "secret/data/wasmcloud-secrets-probe-that-is-never-stored"


async def test_a_probe_that_is_not_found_proves_everything(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    await open_adapter(server.url).parts.check.check()

    assert server.targets[-1] == f"/v1/{PROBE}"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"VAULT_LOGIN_MOUNT": "other"}, "no auth method at the login's mount"),
        ({"VAULT_NAMESPACE": "nowhere"}, "does not know the namespace"),
        ({"VAULT_MOUNT": "nomount"}, 'path "nomount/data/*" { capabilities = ["read"] }'),
    ],
)
async def test_what_is_misconfigured_is_said_with_what_to_do(
    server: VaultServer, open_adapter: OpenAdapter, variables: dict[str, str], words: str
) -> None:
    check = open_adapter(server.url, **{**APPROLE, **variables}).parts.check

    with pytest.raises(StoreMisconfiguredError) as refused:
        await check.check()

    assert words in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "variables", [{"VAULT_SECRET_ID": "canary-wrong"}, {"VAULT_ROLE_ID": "canary-wrong"}]
)
async def test_a_refused_login_leaves_the_replica_not_ready_with_what_to_do(
    server: VaultServer, open_adapter: OpenAdapter, variables: dict[str, str]
) -> None:
    check = open_adapter(server.url, **{**APPROLE, **variables}).parts.check

    with pytest.raises(StoreUnreachableError, match="Failed to authenticate with Vault") as refused:
        await check.check()

    assert "canary" not in str(refused.value)


async def test_a_role_that_is_locked_may_pass(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.logins.wrong = MAX_WRONG

    with pytest.raises(StoreUnreachableError) as refused:
        await open_adapter(server.url, **APPROLE).parts.check.check()

    assert "wait 15 minutes" in str(refused.value)
    assert server.model.logins.logins == 1


async def test_rights_that_are_limited_to_folders_below_are_no_fault(
    server: VaultServer, open_adapter: OpenAdapter, capsys: pytest.CaptureFixture[str]
) -> None:
    server.model.denied.add(PROBE)
    await open_adapter(server.url, VAULT_KV_VERSION="2").parts.check.check()

    assert "vault.check_inconclusive" in capsys.readouterr().out


async def test_rights_that_are_missing_are_shown_as_the_policy_to_write(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.denied |= {PROBE, "secret"}

    with pytest.raises(StoreMisconfiguredError) as refused:
        await open_adapter(server.url, VAULT_KV_VERSION="2").parts.check.check()
    assert 'path "secret/data/*" { capabilities = ["read"] }' in str(refused.value)
    assert 'path "auth/token/renew-self"' in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sealed_read", StoreUnreachableError),
        ("quota_block_3", StoreLimitedError),
        ("namespace_locked_read", StoreUnreachableError),
        ("mount_missing_root_token", StoreMisconfiguredError),
        ("garbage_batch_token", StoreMisconfiguredError),
    ],
)
async def test_a_recorded_refusal_is_told_apart(
    server: VaultServer, open_adapter: OpenAdapter, name: str, kind: type[Exception]
) -> None:
    server.instead = [name] * 8
    check = open_adapter(server.url, VAULT_KV_VERSION="2").parts.check

    with pytest.raises(kind) as refused:
        await check.check()
    assert type(refused.value) is kind


async def test_a_token_that_never_served_is_told_to_be_refused(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.instead = ["token_bound_cidr_read"] * 3
    check = open_adapter(server.url, VAULT_KV_VERSION="2").parts.check

    with pytest.raises(StoreUnreachableError, match="token_bound_cidrs"):
        await check.check()
    assert server.model.logins.logins == 2


async def test_a_given_token_that_is_wrong_is_told(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    adapter = open_adapter(server.url, VAULT_LOGIN="token", VAULT_TOKEN="canary-wrong")

    with pytest.raises(StoreUnreachableError, match="VAULT_TOKEN or VAULT_TOKEN_FILE"):
        await adapter.parts.check.check()


WRAPPED = {
    "VAULT_LOGIN": "approle",
    "VAULT_ROLE": "app",
    "VAULT_ROLE_ID": ROLE_ID,
    "VAULT_WRAPPED_SECRET_ID": "s.wrap",
}


async def test_ahead_of_a_start_a_wrapped_secret_id_is_looked_at_and_left_closed(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.logins.wrapped["s.wrap"] = ("auth/approle/role/app/secret-id", SECRET_ID)
    preflight = open_adapter(server.url, **WRAPPED).parts.preflight

    assert preflight is not None
    await preflight.check.check()
    assert "s.wrap" in server.model.logins.wrapped

    server.model.put("app", {"v": "x"})
    assert await open_adapter(server.url, **WRAPPED).text("app") == '{"v":"x"}'


@pytest.mark.parametrize("wrapped", [{}, {"s.wrap": ("auth/approle/role/other/secret-id", "x")}])
async def test_ahead_of_a_start_a_spent_or_foreign_wrapping_token_is_told(
    server: VaultServer, open_adapter: OpenAdapter, wrapped: dict[str, tuple[str, str]]
) -> None:
    server.model.logins.wrapped.update(wrapped)
    preflight = open_adapter(server.url, **WRAPPED).parts.preflight

    assert preflight is not None
    with pytest.raises(StoreMisconfiguredError, match="wrapping token"):
        await preflight.check.check()
    assert server.model.logins.wrapped == wrapped


async def test_any_other_login_is_tried_ahead_of_a_start(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    assert open_adapter(server.url, **APPROLE).parts.preflight is None
