"""The service as a process that cannot start: exit codes, and what is said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.environments import new_xkey_seed
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.service.looking import Settings
    from tests.support.infisical_server import InfisicalServer


async def test_a_replica_with_another_key_refuses_to_start(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    other = nats_kv_settings | {"SERVER_XKEY_SEED_FILE": "", "SERVER_XKEY_SEED": new_xkey_seed()}

    async with ServiceProcess(nats_kv_settings, tmp_path):
        code, replica = await run_to_its_end(other, tmp_path)

    assert code == 1
    assert "give all replicas the same" in replica.logged("service.failed")[0]["advice"]


async def test_wrong_settings_end_it_with_code_2_and_are_all_listed(tmp_path: Path) -> None:
    settings = {
        "NATS_URL": "ftp://canary",
        "MAX_IN_FLIGHT": "canary",
        "NATS_TOKEN": "canary",
        "NATS_USER": "canary",
    }

    code, service = await run_to_its_end(settings, tmp_path)

    assert code == 2
    for name in (
        "NATS_URL",
        "MAX_IN_FLIGHT",
        "NATS_PASSWORD",
        "NATS_USER, NATS_TOKEN",
        "INFISICAL_CLIENT_ID",
        "INFISICAL_CLIENT_SECRET",
        "INFISICAL_PROJECT_ID",
    ):
        assert f"  - {name} " in service.output
    assert "canary" not in service.output


async def test_a_key_file_that_cannot_be_used_ends_it_with_code_2(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "server.seed").write_text("canary")

    code, service = await run_to_its_end(nats_kv_settings, tmp_path)

    assert code == 2
    assert "SERVER_XKEY_SEED_FILE" in service.output
    assert "canary" not in service.output


async def test_a_nats_server_that_is_not_there_ends_it_with_code_1(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    code, service = await run_to_its_end(
        nats_kv_settings | {"NATS_URL": "nats://127.0.0.1:1"}, tmp_path
    )

    assert code == 1
    advice = service.logged("service.failed")[0]["advice"]
    assert advice.startswith("Failed to connect to NATS at nats://127.0.0.1:1")


async def test_it_can_be_stopped_while_it_is_starting(
    infisical_settings: Settings, tmp_path: Path, infisical: InfisicalServer
) -> None:
    infisical.login_breaks.extend([Break.HANG] * 1000)

    service = ServiceProcess(infisical_settings, tmp_path, ready="nats.connected")
    async with service:
        async with asyncio.timeout(5):
            assert await service.stop() == 0

    assert not service.logged("service.ready")
    assert not service.logged("nats.listening")
