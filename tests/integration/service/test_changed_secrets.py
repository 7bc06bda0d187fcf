"""A secret that changes is served at once: by a webhook, and by a flush on the command line."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.support.command_line import CommandLine
from tests.support.infisical_model import PROJECT_ID
from tests.support.service_process import ServiceProcess
from tests.unit.adapters.infisical.infisical_webhooks import KEY, body, header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.subscription import Subscription

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]


@pytest.fixture
def settings(infisical_settings: Settings) -> Settings:
    """A service whose cache keeps values for longer than any test takes."""
    return infisical_settings | {"CACHE_TTL_SECONDS": "600"}


@pytest.fixture
def admin_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def hearing(settings: Settings, subject: str) -> AsyncIterator[Subscription]:
    config = NatsSettings(urls=(settings["NATS_URL"],))
    async with NatsConnection(config, SystemClock()) as connection:
        yield await connection.client.subscribe(subject)
        await connection.client.flush()


async def send_webhook(address: str, key: str = KEY, **project: Any) -> httpx.Response:
    now = int(SystemClock().now() * 1000)
    raw = body(at=now, workspaceId=PROJECT_ID, projectId=PROJECT_ID, **project)
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        return await client.post(
            "/webhooks/infisical",
            content=raw,
            headers={"x-infisical-signature": header(raw, now, key)},
        )


async def test_a_webhook_makes_every_replica_ask_anew_and_operators_hear_of_it(
    settings: Settings,
    tmp_path: Path,
    host: Host,
    infisical: InfisicalServer,
    admin_address: str,
) -> None:
    infisical.model.put("KEY", "old")
    first = settings | {"ADMIN_ADDR": admin_address, "INFISICAL_WEBHOOK_KEY": KEY}

    async with (
        ServiceProcess(first, tmp_path) as one,
        ServiceProcess(settings, tmp_path) as other,
        hearing(settings, f"{settings['NATS_SUBJECT_PREFIX']}.events.infisical.changed") as events,
    ):
        await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        infisical.model.put("KEY", "new")
        forged = await send_webhook(admin_address, key="another-key-of-16", secretPath="/")
        kept = await host.get("KEY")
        taken = await send_webhook(admin_address, secretPath="/")
        event = json.loads((await events.next_msg(10)).data)
        served = await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        assert await one.stop() == 0
        assert await other.stop() == 0

    assert forged.status_code == 401
    assert kept.value.reveal() == "old"
    assert taken.status_code == 204
    assert (event["cause"], event["folder"], event["replicas"]) == ("store", "/", 2)
    assert {secret.value.reveal() for secret in served} == {"new"}
    assert KEY not in one.output


async def test_without_a_key_there_is_no_page_for_webhooks_and_the_setting_is_named(
    settings: Settings, tmp_path: Path, admin_address: str
) -> None:
    async with ServiceProcess(settings | {"ADMIN_ADDR": admin_address}, tmp_path):
        refused = await send_webhook(admin_address, secretPath="/")

    assert refused.status_code == 404
    assert "set INFISICAL_WEBHOOK_KEY" in refused.text


async def test_a_flush_reaches_every_worker_and_says_what_each_one_dropped(
    settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "old")
    commands = CommandLine(settings, tmp_path)

    async with ServiceProcess(settings | {"WORKERS": "2"}, tmp_path) as service:
        await service.wait_for("service.ready", count=2)
        await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        infisical.model.put("KEY", "new")
        code, out, err = await commands.run("cache", "flush", "--key", "/KEY")
        served = await asyncio.gather(*(host.get("KEY") for _ in range(40)))
        applied = await service.wait_for("change_notice.applied", count=2)

    assert (code, err) == (0, "")
    shown = out.decode()
    assert shown.count(f"{socket.gethostname()}:"[:20]) == 2
    assert applied["cause"] == "flush"
    assert {secret.value.reveal() for secret in served} == {"new"}


async def test_a_flush_of_a_service_that_keeps_nothing_says_so(
    settings: Settings, tmp_path: Path
) -> None:
    given = settings | {"CACHE_TTL_SECONDS": "0"}

    async with ServiceProcess(given, tmp_path):
        code, _, err = await CommandLine(given, tmp_path).run("cache", "flush", "--all")

    assert code == 0
    assert "No replica kept any value" in err


async def test_a_change_whose_notice_was_lost_is_announced_within_the_bound(
    settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "old")
    infisical.model.put("OTHER", "same")
    rechecked = settings | {"CACHE_RECHECK_SECONDS": "10", "WORKERS": "2"}
    # By default each of two workers reads every 4 seconds: a second secret could come too late.
    rechecked |= {"CACHE_RECHECK_READS_PER_MINUTE": "600"}

    async with (
        ServiceProcess(rechecked, tmp_path) as service,
        hearing(settings, f"{settings['NATS_SUBJECT_PREFIX']}.events.infisical.changed") as events,
    ):
        await asyncio.gather(*(host.get(key) for key in ("KEY", "OTHER") * 20))
        infisical.model.put("KEY", "new")
        changed_at = SystemClock().monotonic()
        event = json.loads((await events.next_msg(15)).data)
        told_after = SystemClock().monotonic() - changed_at
        served = await asyncio.gather(*(host.get("KEY") for _ in range(20)))
        with pytest.raises(TimeoutError):
            await events.next_msg(12)
        assert await service.stop() == 0

    assert (event["cause"], event["key"], event["replicas"]) == ("store", "/KEY", 2)
    # The event follows a second after the processes were told to forget.
    assert told_after < 10.0 + 1.5
    assert {secret.value.reveal() for secret in served} == {"new"}
    assert service.logged("cache.change_found")[0]["path"] == "/KEY"
    assert "canary" not in service.output
