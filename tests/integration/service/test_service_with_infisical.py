"""The service as a process before Infisical: served, refused credentials, and an outage."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from adapters.system.clock import SystemClock
from domain.model.errors import UpstreamError
from tests.integration.service.hanging import until_one_hangs
from tests.support.infisical_lockout import LoginLockout
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.service.looking import Settings
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer


async def test_a_host_gets_a_secret_from_infisical(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    version = infisical.model.put("API_KEY", "from infisical")

    async with ServiceProcess(infisical_settings, tmp_path):
        secret = await host.get("API_KEY")

    assert (secret.value.reveal(), secret.version) == ("from infisical", version)


async def test_a_second_signal_ends_it_at_once(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(infisical_settings, tmp_path) as service:
        await host.client.server_xkey()
        infisical.breaks.append(Break.HANG)
        asked = asyncio.create_task(host.get("SLOW"))
        await until_one_hangs(infisical)
        service.signal(signal.SIGINT)
        await service.wait_for("service.stopping")
        service.signal(signal.SIGINT)
        code = await service.exit_code()
        asked.cancel()

    assert code == 128 + signal.SIGINT


async def test_wrong_infisical_credentials_leave_it_not_ready_and_never_lock_the_identity(
    infisical_settings: Settings, tmp_path: Path, infisical: InfisicalServer
) -> None:
    lockout = infisical.model.lockout = LoginLockout(SystemClock().monotonic)
    wrong = infisical_settings | {"INFISICAL_CLIENT_SECRET": "canary-wrong"}

    async with ServiceProcess(wrong, tmp_path, ready="nats.listening") as service:
        advice = service.logged("service.not_ready")[0]["advice"]
        assert await service.stop() == 0

    assert "Failed to authenticate with Infisical" in advice
    assert len(infisical.model.logins) <= 2
    assert lockout.times_locked == 0
    assert "canary" not in service.output


async def test_while_infisical_is_away_requests_get_typed_errors_and_it_recovers_by_itself(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")
    infisical.model.put("OTHER", "value")
    infisical.login_breaks.extend([Break.CLOSE] * 1000)
    settings = infisical_settings | {"REQUEST_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path, ready="nats.listening") as service:
        assert service.logged("service.not_ready")
        with pytest.raises(UpstreamError):
            await host.get("KEY")
        infisical.login_breaks.clear()
        await service.wait_for("service.ready")
        # For a moment, the failure of the first is remembered.
        secret = await host.get("OTHER")

    assert secret.value.reveal() == "value"
