"""Replicas and hosts on three clustered nats-servers, one of which is killed under load."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from bootstrap.local.nats_server import LocalNatsServer
from domain.use_cases.ask_for_secret import HostClient
from ports.transport import ChannelError
from tests.support.free_ports import neighbouring_ports
from tests.support.host import Host
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]
WAITS_SECONDS = 2.0
"""A host of wasmCloud waits for 10; these wait less, and ask again as people do."""


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[list[LocalNatsServer]]:
    """Three servers, each with routes to the others."""
    first = neighbouring_ports(3)
    ports = [first, first + 1, first + 2]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    async with AsyncExitStack() as running:
        yield [
            await running.enter_async_context(
                LocalNatsServer(
                    config=f"server_name: n{number}\n"
                    f'cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{routes}] }}'
                )
            )
            for number, port in enumerate(ports)
        ]


@asynccontextmanager
async def host_on(url: str, prefix: str) -> AsyncIterator[Host]:
    config = NatsSettings(urls=(url,))
    async with NatsConnection(config, SystemClock(), reconnect_wait=0.05) as connection:
        channel = NatsChannel(connection.client, SecretsSubjects(prefix=prefix))
        yield Host(HostClient(channel, SodiumKeyExchange(), WAITS_SECONDS), channel)


class Load:
    """Asks for one key after another, each again until it is there.

    Attributes:
        asked: how often, by key.
    """

    def __init__(self, host: Host, name: str) -> None:
        self._host = host
        self._name = name
        self._stop = asyncio.Event()
        self.asked: dict[str, int] = {}

    async def run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            await self._get(f"{self._name}-{number}")

    async def _get(self, key: str) -> None:
        async with asyncio.timeout(30):
            while True:
                self.asked[key] = self.asked.get(key, 0) + 1
                try:
                    secret = await self._host.get(key)
                except ChannelError:
                    await asyncio.sleep(0.05)
                    continue
                assert secret.value.reveal() == "value"
                return

    def stop(self) -> None:
        self._stop.set()

    @property
    def done(self) -> int:
        return len(self.asked)


async def until_each_did(loads: list[Load], more: int) -> None:
    goals = [load.done + more for load in loads]
    async with asyncio.timeout(30):
        while any(  # noqa: ASYNC110  one loop for both loads
            load.done < goal for load, goal in zip(loads, goals, strict=True)
        ):
            await asyncio.sleep(0.02)


def gets(*replicas: ServiceProcess) -> list[dict[str, Any]]:
    return [
        record
        for replica in replicas
        for record in replica.logged("secret_request")
        if record["operation"] == "get"
    ]


@pytest.fixture
def replica_settings(two_workers: Settings, infisical: InfisicalServer) -> Settings:
    for load in ("first", "second"):
        for number in range(1, 5000):
            infisical.model.put(f"{load}-{number}", "value")
    return two_workers | {"WORKERS": "1"}


@pytest.mark.parametrize("killed", [0, 1, 2], ids=["of a replica", "of both", "of a host"])
async def test_a_killed_server_costs_no_request_that_reached_the_service(
    killed: int,
    cluster: list[LocalNatsServer],
    replica_settings: Settings,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    # One address each, so that each client is where the test wants it; a connected client is told
    # the addresses of the whole cluster.
    def settings(number: int) -> Settings:
        return replica_settings | {"NATS_URL": cluster[number].url}

    async with AsyncExitStack() as running:
        first, second = [
            await running.enter_async_context(ServiceProcess(settings(number), tmp_path))
            for number in (0, 1)
        ]
        hosts = [
            await running.enter_async_context(host_on(cluster[number].url, subject_prefix))
            for number in (1, 2)
        ]
        loads = [Load(host, name) for host, name in zip(hosts, ("first", "second"), strict=True)]
        tasks = [asyncio.create_task(load.run()) for load in loads]
        await until_each_did(loads, 50)
        assert gets(first)
        assert gets(second)

        await cluster[killed].kill()
        await until_each_did(loads, 50)
        if killed < 2:
            await (first, second)[killed].wait_for("nats.reconnected")
        served = len(gets(first)), len(gets(second))
        await until_each_did(loads, 50)
        for load in loads:
            load.stop()
        await asyncio.gather(*tasks)
        assert await first.stop() == 0
        assert await second.stop() == 0

    # Both replicas go on serving, wherever they are connected now.
    assert len(gets(first)) > served[0]
    assert len(gets(second)) > served[1]
    # Whatever reached one of them was answered, and only what was under way was asked again.
    assert {record["outcome"] for record in gets(first, second)} == {"answered"}
    asked = {key: times for load in loads for key, times in load.asked.items()}
    assert {record["key"] for record in gets(first, second)} == asked.keys()
    assert sum(times > 1 for times in asked.values()) <= 2 * len(loads)
