"""A nats-server that is there and refuses the service: mended there, it heals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.admin_pages import Pages, until_so
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.host import connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer

USERS = (
    'authorization {{ users: [{{user: backend, password: "{password}"}}, '
    "{{user: host, password: h}}] }}"
)
NO_ROOM = "max_connections: 1"
SHORT_LINES = "max_control_line: 64"
"""Shorter than a login."""


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_refused_login_leaves_it_not_ready_until_the_server_takes_it(
    start_nats_server: StartNatsServer, subject_prefix: str, tmp_path: Path, workers: str
) -> None:
    server = await start_nats_server(USERS.format(password="another"), jetstream=True)
    url = server.url.removeprefix("nats://")
    port = neighbouring_ports()
    async with InfisicalServer() as infisical:
        infisical.model.put("KEY", "value")
        settings = {
            **local_infisical_environment(infisical, server.url, subject_prefix, tmp_path),
            "NATS_URL": f"nats://backend:one-of-ours@{url}",
            "WORKERS": workers,
            "ADMIN_ADDR": f"127.0.0.1:{port}",
        }
        ready = "service.not_ready"
        async with ServiceProcess(settings, tmp_path, ready=ready) as service:
            await service.wait_for(ready, count=2 * int(workers))
            pauses = [record["again_in_seconds"] for record in service.logged(ready)]
            check = (await Pages(settings["ADMIN_ADDR"]).checks())["nats"]

            await server.reload(USERS.format(password="one-of-ours"))
            await service.wait_for("service.ready", count=int(workers))
            async with connected_host(f"nats://host:h@{url}", subject_prefix) as host:
                assert (await host.get("KEY")).value.reveal() == "value"
            assert await service.stop() == 0

    assert sorted(pauses) == sorted([1.0, 2.0] * int(workers))
    assert not check["ok"]
    assert "the server rejected the credentials" in check["advice"]
    assert "one-of-ours" not in service.output
    assert not service.logged("worker.died")


@pytest.mark.parametrize(
    ("refusing", "advice"),
    [
        (USERS.format(password="another"), "rejected the credentials"),
        (SHORT_LINES, "refused this client"),
    ],
)
async def test_a_login_that_is_refused_later_makes_it_not_ready_for_that_reason(
    start_nats_server: StartNatsServer,
    subject_prefix: str,
    tmp_path: Path,
    refusing: str,
    advice: str,
) -> None:
    usual = USERS.format(password="one-of-ours")
    server = await start_nats_server(usual)
    url = server.url.removeprefix("nats://")
    async with InfisicalServer() as infisical:
        settings = {
            **local_infisical_environment(infisical, server.url, subject_prefix, tmp_path),
            "NATS_URL": f"nats://backend:one-of-ours@{url}",
            "ADMIN_ADDR": f"127.0.0.1:{neighbouring_ports(1)}",
        }
        pages = Pages(settings["ADMIN_ADDR"])

        async def is_said() -> bool:
            return advice in (await pages.checks())["nats"]["advice"]

        async with ServiceProcess(settings, tmp_path) as service:
            await server.kill()
            server.config = refusing
            await server.start()
            await until_so(is_said)
            assert not await pages.is_ready()

            server.config = usual
            await server.restart()
            await until_so(pages.is_ready)
            assert await service.stop() == 0


async def test_a_server_that_is_full_is_waited_for_and_a_stop_meanwhile_is_heeded(
    start_nats_server: StartNatsServer, subject_prefix: str, tmp_path: Path
) -> None:
    server = await start_nats_server(NO_ROOM)
    async with InfisicalServer() as infisical, connected_host(server.url, subject_prefix):
        settings = local_infisical_environment(infisical, server.url, subject_prefix, tmp_path)
        async with ServiceProcess(settings, tmp_path, ready="service.not_ready") as service:
            await asyncio.sleep(0.2)
            assert await service.stop() == 0

    assert "limits" in service.logged("service.not_ready")[0]["advice"]
