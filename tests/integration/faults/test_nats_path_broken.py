"""The way to nats-server swallows everything, or nats-server gives the service up as too slow."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.faults.load import ANSWERED, crowd, kinds, store_secrets
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer
    from tests.support.infisical_server import InfisicalServer

PINGS = 'ping_interval: "2s"\nping_max: 2'
"""By default nats-server takes minutes to notice a lost connection, and until then goes on sending
it its share of the requests."""

IMPATIENT = 'max_pending: 1MB\nwrite_deadline: "500ms"'


async def test_a_silent_path_is_given_up_within_hosts_patience_and_another_one_taken(
    settings: dict[str, str],
    infisical: InfisicalServer,
    start_nats_server: StartNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 20)
    server = await start_nats_server(PINGS)

    async with TcpProxy(server.port) as proxy:
        through_proxy = settings | {"NATS_URL": f"nats://127.0.0.1:{proxy.port}"}
        async with (
            ServiceProcess(through_proxy, tmp_path) as service,
            crowd(server.url, subject_prefix, waits_seconds=1.0) as hosts,
        ):
            before = await hosts.rush(keys)
            proxy.swallow()
            healed_after = await hosts.until_answered(keys[0])
            after = await hosts.rush(keys)
            assert await service.stop() == 0

    assert kinds(before) == {ANSWERED: len(keys)}
    assert healed_after < 16.0
    assert kinds(after) == {ANSWERED: len(keys)}
    assert set(hosts.replies.values()) == {1}


async def test_a_service_that_was_given_up_as_too_slow_is_back_as_soon_as_it_runs(
    settings: dict[str, str],
    infisical: InfisicalServer,
    start_nats_server: StartNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 20)
    server = await start_nats_server(IMPATIENT)
    flooding = NatsConnection(NatsSettings(urls=(server.url,)), SystemClock())

    async with (
        ServiceProcess(settings | {"NATS_URL": server.url}, tmp_path) as service,
        crowd(server.url, subject_prefix) as hosts,
        flooding,
    ):
        before = await hosts.rush(keys)
        service.signal(signal.SIGSTOP)
        for _ in range(200):
            await flooding.client.publish(
                f"{subject_prefix}.v1alpha1.infisical.get", os.urandom(60_000), reply="nowhere"
            )
        await flooding.client.flush()
        await asyncio.sleep(1.5)
        service.signal(signal.SIGCONT)
        await until(lambda: bool(service.logged("nats.disconnected")))
        healed_after = await hosts.until_answered(keys[0])
        after = await hosts.rush(keys)
        assert await service.stop() == 0

    assert kinds([*before, *after]) == {ANSWERED: 2 * len(keys)}
    assert healed_after < 6.0
    assert set(hosts.replies.values()) == {1}
