"""Permissions taken away at run time: noticed, shown by probes, healed without a restart."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest

from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

PREFIX = "heals"
INBOX, REQUESTS, CONTROL = "_INBOX.>", f"{PREFIX}.v1alpha1.>", f"{PREFIX}.control.>"
ALL = (INBOX, REQUESTS, CONTROL)
_PATIENCE_SECONDS = 15.0


def permissions(hears: tuple[str, ...] = ALL, publishes: tuple[str, ...] = (">",)) -> str:
    rights = json.dumps({"subscribe": list(hears), "publish": list(publishes)})
    return (
        "authorization { users: [\n"
        f"  {{user: backend, password: b, permissions: {rights}}}\n"
        "  {user: host, password: h}\n]}"
    )


class Running(NamedTuple):
    server: LocalNatsServer
    process: ServiceProcess
    host: NatsChannel
    admin: str

    async def readiness(self) -> tuple[int, str]:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.admin}/readyz")
            return answer.status_code, answer.text

    async def until_ready_is(self, status: int) -> str:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                found, text = await self.readiness()
                if found == status:
                    return text
                await asyncio.sleep(0.1)

    async def is_served(self) -> bool:
        reply = await self.host.request("server_xkey", b"", None, 2)
        return reply.body.startswith(b"X")


@asynccontextmanager
async def running(server: LocalNatsServer, folder: Path) -> AsyncIterator[Running]:
    port = neighbouring_ports(1)
    url = server.url.removeprefix("nats://")
    async with InfisicalServer() as store:
        settings = local_infisical_environment(store, f"nats://backend:b@{url}", PREFIX, folder)
        process = ServiceProcess(settings | {"ADMIN_ADDR": f"127.0.0.1:{port}"}, folder)
        host = NatsConnection(NatsSettings(urls=(f"nats://host:h@{url}",)), SystemClock())
        async with process, host:
            channel = NatsChannel(host.client, SecretsSubjects(prefix=PREFIX))
            yield Running(server, process, channel, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("taken", ALL)
async def test_a_subscription_taken_away_makes_it_not_ready_and_heals_by_itself(
    start_nats_server: StartNatsServer, tmp_path: Path, taken: str
) -> None:
    server = await start_nats_server(permissions())
    async with running(server, tmp_path) as service:
        await service.until_ready_is(200)
        await asyncio.sleep(4)  # one round of the check has seen what is granted
        assert (await service.readiness())[0] == 200

        await server.reload(permissions(tuple(subject for subject in ALL if subject != taken)))
        text = await service.until_ready_is(503)
        assert "refuses this user the subscription to" in text
        assert taken.removesuffix(">") in text
        await service.process.wait_for("nats.not_served")

        await server.reload(permissions())
        await service.until_ready_is(200)
        assert await service.is_served()
        await service.process.wait_for("nats.served_again")
        assert len(service.process.logged("nats.not_served")) == 1


async def test_one_operation_that_is_denied_below_what_is_allowed_is_noticed_too(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    usual = permissions()
    denied = json.dumps({"allow": list(ALL), "deny": [f"{PREFIX}.*.*.get"]})
    server = await start_nats_server(usual)
    async with running(server, tmp_path) as service:
        await service.until_ready_is(200)

        await server.reload(usual.replace(json.dumps(list(ALL)), denied))
        assert f"{PREFIX}.v1alpha1.infisical.get" in await service.until_ready_is(503)

        await server.reload(usual)
        await service.until_ready_is(200)
        assert await service.is_served()


@pytest.mark.parametrize("left", [f"{PREFIX}.>", "nothing.else"])
async def test_the_right_to_reply_taken_away_is_found_by_asking(
    start_nats_server: StartNatsServer, tmp_path: Path, left: str
) -> None:
    server = await start_nats_server(permissions())
    async with running(server, tmp_path) as service:
        await service.until_ready_is(200)

        await server.reload(permissions(publishes=(left,)))
        assert "publish replies" in await service.until_ready_is(503)

        await server.reload(permissions())
        await service.until_ready_is(200)
        assert await service.is_served()


async def test_a_restart_without_the_permission_is_noticed_and_heals(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    server = await start_nats_server(permissions())
    async with running(server, tmp_path) as service:
        await service.until_ready_is(200)
        await server.reload(permissions((INBOX, CONTROL)))
        await server.restart()
        await service.process.wait_for("nats.reconnected")
        await service.process.wait_for("nats.not_served")
        assert REQUESTS.removesuffix(">") in (await service.readiness())[1]

        await server.reload(permissions())
        await service.until_ready_is(200)
        assert await service.is_served()
