"""A server that says it is going to stop is left without losing a request."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from bootstrap.local.nats_server import LocalNatsServer
from tests.support.command_line import CommandLine
from tests.support.environments import local_infisical_environment, nats_kv_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.host import connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess
from tests.support.steady_gets import steady_gets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PREFIX = "moves"
REQUESTS = 1000


@asynccontextmanager
async def cluster(*, jetstream: bool = False) -> AsyncIterator[list[LocalNatsServer]]:
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
                    f'cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{routes}] }}',
                    jetstream=jetstream,
                )
            )
            for number, port in enumerate(ports)
        ]


async def test_no_sealed_request_of_a_thousand_is_lost_with_one_replica_and_a_server_that_stops(
    tmp_path: Path,
) -> None:
    async with cluster() as (dying, staying, _), InfisicalServer() as store:
        store.model.put("KEY", "value")
        settings = local_infisical_environment(store, dying.url, PREFIX, tmp_path)
        settings["CACHE_TTL_SECONDS"] = "0"
        async with (
            ServiceProcess(settings, tmp_path) as process,
            connected_host(staying.url, PREFIX) as host,
        ):
            ends = await steady_gets(host, REQUESTS, lambda: os.kill(dying.pid, signal.SIGUSR2))

            assert ends == {"value": REQUESTS}
            await process.wait_for("nats.moved")
            (reconnected,) = process.logged("nats.reconnected")
            assert not reconnected["server"].endswith(f":{dying.port}")


async def test_nor_where_the_store_is_a_bucket_of_the_same_cluster(tmp_path: Path) -> None:
    value = tmp_path / "value"
    value.write_text("value")
    async with cluster(jetstream=True) as (dying, staying, _):
        settings = nats_kv_environment(tmp_path) | {
            "NATS_URL": dying.url,
            "NATS_SUBJECT_PREFIX": PREFIX,
            "NATS_KV_REPLICAS": "3",
        }
        async with (
            ServiceProcess(settings, tmp_path) as process,
            connected_host(staying.url, PREFIX) as host,
        ):
            command = CommandLine(settings | {"NATS_URL": staying.url}, tmp_path)
            code, _, text = await command.run("kv", "put", "KEY", "--file", str(value))
            assert code == 0, text
            ends = await steady_gets(host, REQUESTS, lambda: os.kill(dying.pid, signal.SIGUSR2))

            assert ends == {"value": REQUESTS}
            await process.wait_for("nats.moved")
            # The requests' connection and the store's.
            for reconnected in process.logged("nats.reconnected"):
                assert not reconnected["server"].endswith(f":{dying.port}")
            assert len(process.logged("nats.reconnected")) == 2
