"""A server that says it is going to stop is left without losing a request."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest_asyncio

from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from bootstrap.local.nats_server import LocalNatsServer
from ports.transport import ChannelError
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PREFIX = "moves"
REQUESTS = 1000
_PAUSE_SECONDS = 0.004


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[list[LocalNatsServer]]:
    """Three servers, each with routes to the others, that take their time to stop."""
    first = neighbouring_ports(3)
    ports = [first, first + 1, first + 2]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    async with AsyncExitStack() as running:
        yield [
            await running.enter_async_context(
                LocalNatsServer(
                    config=f"server_name: n{number}\n"
                    'lame_duck_grace_period: "1s", lame_duck_duration: "30s"\n'
                    f'cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{routes}] }}'
                )
            )
            for number, port in enumerate(ports)
        ]


async def test_no_request_of_a_thousand_is_lost_with_one_replica_and_a_server_that_stops(
    cluster: list[LocalNatsServer], tmp_path: Path
) -> None:
    dying, staying, _ = cluster
    async with InfisicalServer() as store:
        settings = local_infisical_environment(store, dying.url, PREFIX, tmp_path)
        process = ServiceProcess(settings, tmp_path)
        host = NatsConnection(NatsSettings(urls=(staying.url,)), SystemClock())
        async with process, host:
            channel = NatsChannel(host.client, SecretsSubjects(prefix=PREFIX))

            async def ask() -> str:
                try:
                    reply = await channel.request("server_xkey", b"", None, 8)
                except ChannelError as error:
                    return error.reason
                return "answered" if reply.body.startswith(b"X") else "other"

            requests = []
            for number in range(REQUESTS):
                if number == REQUESTS // 10:
                    os.kill(dying.pid, signal.SIGUSR2)
                requests.append(asyncio.create_task(ask()))
                await asyncio.sleep(_PAUSE_SECONDS)
            answers = await asyncio.gather(*requests)

            assert {kind: answers.count(kind) for kind in set(answers)} == {"answered": REQUESTS}
            await process.wait_for("nats.moved")
            (reconnected,) = process.logged("nats.reconnected")
            assert not reconnected["server"].endswith(f":{dying.port}")
