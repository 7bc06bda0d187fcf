"""The whole service on Vault, as operators run it: hosts ask over NATS, Vault fetches the keys."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from nacl.signing import SigningKey as RawKey

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from domain.model.errors import SecretNotFound, UpstreamError
from tests.integration.vault.test_vault_callers_over_http import write_keys
from tests.support.admin_pages import Pages
from tests.support.command_line import CommandLine
from tests.support.free_ports import neighbouring_ports
from tests.support.host import Host, connected_host
from tests.support.service_process import ServiceProcess, run_to_its_end
from tests.support.vault_logins import ROLE_ID, SECRET_ID, decode_segment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.vault_server import VaultServer

Settings = dict[str, str]


@pytest.fixture
def base(server: VaultServer, nats_url: str, subject_prefix: str, tmp_path: Path) -> Settings:
    """A service on the local Vault, without a login."""
    return {
        "SECRET_STORE": "vault",
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "SERVER_XKEY_SEED_FILE": str(tmp_path / "server.seed"),
        "VAULT_ADDR": server.url,
    }


@pytest.fixture
def approle(base: Settings, tmp_path: Path) -> Settings:
    return base | {
        "VAULT_LOGIN": "approle",
        "VAULT_ROLE_ID": ROLE_ID,
        "VAULT_SECRET_ID": SECRET_ID,
        "VAULT_STATE_FOLDER": str(tmp_path),
    }


@pytest.fixture
def caller(base: Settings, tmp_path: Path, pages: Pages) -> Settings:
    write_keys(tmp_path / "keys.pem", b"\x09" * 32)
    return base | {
        "VAULT_LOGIN": "caller",
        "VAULT_ROLE": "demo",
        "VAULT_JWT_KEY_FILE": str(tmp_path / "keys.pem"),
        "ADMIN_ADDR": pages.address,
        "CACHE_TTL_SECONDS": "0",
    }


@pytest.fixture
def pages() -> Pages:
    return Pages(f"127.0.0.1:{neighbouring_ports()}")


@pytest_asyncio.fixture
async def host(nats_url: str, subject_prefix: str) -> AsyncIterator[Host]:
    async with connected_host(nats_url, subject_prefix, "vault") as connected:
        yield connected


async def test_a_host_gets_secrets_fields_versions_and_binary(
    server: VaultServer, approle: Settings, tmp_path: Path, host: Host
) -> None:
    server.model.put("app/db", {"password": "canary-old", "port": 5432})
    server.model.put("app/db", {"password": "canary-value", "port": 5432})
    server.model.put("app/cert", {"key": base64.b64encode(b"\x00canary\xff").decode()})
    server.model.secret("app/cert").custom_metadata = {"encoding": "base64"}

    async with ServiceProcess(approle, tmp_path) as service:
        whole = await host.get("app/db")
        assert whole.value.reveal() == '{"password":"canary-value","port":5432}'
        assert whole.version == "2"
        assert (await host.get("app/db", field="port")).value.reveal() == "5432"
        assert (await host.get("app/db", field="password", version="1")).value.reveal() == (
            "canary-old"
        )
        for _ in range(2):  # from the store, then from the cache
            secret = await host.get("app/cert", field="key")
            assert secret.value.reveal() == b"\x00canary\xff"
        with pytest.raises(SecretNotFound):
            await host.get("app/nothing")
        log = service.output

    assert "canary" not in log
    assert SECRET_ID not in log
    assert server.model.logins.logins == 1


async def test_numbers_that_may_have_changed_are_noted_in_the_audit_trail(
    server: VaultServer, approle: Settings, tmp_path: Path, host: Host
) -> None:
    server.model.put("numbers", {"id": 9007199254740992})

    async with ServiceProcess(approle, tmp_path) as service:
        await host.get("numbers", field="id")
        event = await service.wait_for("secret_request", operation="get")

    assert event["note"] == "numbers_may_be_inexact"
    assert (event["scope_mount"], event["path"]) == ("secret", "/numbers")


async def test_each_component_logs_in_by_itself_with_the_keys_that_are_published(
    server: VaultServer, caller: Settings, tmp_path: Path, host: Host, pages: Pages
) -> None:
    server.model.put("app/db", {"v": "x"})
    team = SigningKey.generate(KeyKind.ACCOUNT)
    component = SigningKey.generate(KeyKind.COMPONENT).public
    token = sign_token(
        team, component, token_id="t", issued_at=1_700_000_000, metadata={"name": "shop"}
    )
    server.model.logins.jwt_keys = [decode_segment(_x_of(b"\x09" * 32))]

    async with ServiceProcess(caller, tmp_path) as service:
        jwks = json.loads((await pages.get("/vault/jwks.json")).text)
        assert [key["x"] for key in jwks["keys"]] == [_x_of(b"\x09" * 32)]
        assert "BEGIN PUBLIC KEY" in (await pages.get("/vault/jwt-keys.pem")).text
        before = len(server.targets)
        for _ in range(2):
            await host.get("app/db", field="v", entity_token=token)
        assert len(server.targets) - before <= 3
        log = service.output

    claims = server.model.logins.claims[-1]
    assert (claims["sub"], claims["issuer"], claims["name"]) == (component, team.public, "shop")
    assert claims["unproven_application"] == "shop"
    assert server.model.logins.logins == 0
    assert "eyJ" not in log


async def test_keys_that_vault_has_not_fetched_yet_are_published_until_it_has(
    server: VaultServer, caller: Settings, tmp_path: Path, pages: Pages
) -> None:
    server.model.logins.jwt_keys = []
    async with ServiceProcess(caller, tmp_path, ready="service.not_ready") as service:
        jwks = json.loads((await pages.get("/vault/jwks.json")).text)
        server.model.logins.jwt_keys = [decode_segment(key["x"]) for key in jwks["keys"]]

        await service.wait_for("service.ready")


async def test_keys_that_are_handed_over_must_be_known_at_the_start(
    server: VaultServer, caller: Settings, tmp_path: Path
) -> None:
    server.model.logins.jwt_keys = []
    code, service = await run_to_its_end(caller | {"VAULT_PUBLISH_JWT_KEYS": "false"}, tmp_path)

    assert code == 2
    assert "docs/vault.md" in service.output


async def test_the_check_ahead_of_a_start_leaves_a_wrapped_secret_id_to_the_start(
    server: VaultServer, base: Settings, tmp_path: Path
) -> None:
    server.model.logins.wrapped["s.canary"] = ("auth/approle/role/app/secret-id", SECRET_ID)
    settings = base | {
        "VAULT_LOGIN": "approle",
        "VAULT_ROLE": "app",
        "VAULT_ROLE_ID": ROLE_ID,
        "VAULT_WRAPPED_SECRET_ID": "s.canary",
    }
    code, said, _ = await CommandLine(settings, tmp_path).run("check")

    assert (code, server.model.logins.logins) == (0, 0)
    assert "The login was not tried" in said.decode()
    assert "canary" not in said.decode()
    async with ServiceProcess(settings, tmp_path):
        assert server.model.logins.logins == 1


async def test_a_refused_secret_id_is_not_sent_again_by_a_restarted_service(
    server: VaultServer, approle: Settings, tmp_path: Path
) -> None:
    approle["VAULT_SECRET_ID"] = "canary-wrong"
    for _ in range(3):
        async with ServiceProcess(approle, tmp_path, ready="service.not_ready") as service:
            assert await service.stop() == 0
        assert "canary" not in service.output

    assert server.model.logins.wrong == 1


async def test_restarts_with_ever_other_wrong_secret_ids_do_not_lock_the_role(
    server: VaultServer, approle: Settings, tmp_path: Path
) -> None:
    for number in range(5):
        approle["VAULT_SECRET_ID"] = f"canary-wrong-{number}"
        process = ServiceProcess(approle, tmp_path, ready="vault.no_token")
        async with process:
            pass

    assert server.model.logins.wrong == 3


async def test_a_starting_replica_hears_what_another_was_refused(
    server: VaultServer, approle: Settings, tmp_path: Path, host: Host
) -> None:
    del approle["VAULT_STATE_FOLDER"]
    async with ServiceProcess(approle, tmp_path) as first:
        server.model.logins.secret_ids.clear()
        server.model.logins.tokens.clear()
        with pytest.raises(UpstreamError):
            await host.get("app")
        await first.wait_for("vault.no_token")
        assert server.model.logins.wrong == 1

        async with ServiceProcess(approle, tmp_path, ready="service.not_ready") as second:
            (record,) = second.logged("service.not_ready")

    assert "refused these credentials before" in record["advice"]
    assert server.model.logins.wrong == 1


async def test_a_sealed_server_is_waited_for(
    server: VaultServer, approle: Settings, tmp_path: Path, host: Host
) -> None:
    server.model.put("app", {"v": "x"})
    server.login_instead = ["sealed_login_approle"] * 1000

    async with ServiceProcess(approle, tmp_path, ready="vault.no_token") as service:
        assert not service.logged("service.ready")
        server.login_instead = []
        await service.wait_for("service.ready")

        assert (await host.get("app")).value.reveal() == '{"v":"x"}'


def _x_of(seed: bytes) -> str:
    raw = bytes(RawKey(seed).verify_key)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
