"""Workers whose hosts would not be answered: the supervisor goes by the check of the probes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.support.host import connected_host
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

_STARTED = "workers.started"
_PATIENCE_SECONDS = 45.0
_RIGHTS = (
    "authorization {{ users: [\n"
    '  {{user: backend, password: b, permissions: {{subscribe: [{hears}], publish: [">"]}}}}\n'
    "  {{user: host, password: h}}\n]}}"
)
_ALL = '"_INBOX.>", "{prefix}.>"'


async def until_logged(service: ServiceProcess, event: str, count: int = 1) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(service.logged(event)) < count:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.2)


async def test_one_that_cannot_reach_nats_while_another_is_served_is_replaced(
    two_workers: dict[str, str],
    fresh_nats_server: LocalNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as opened:
        proxy = await opened.enter_async_context(TcpProxy(fresh_nats_server.port))
        settings = two_workers | {"NATS_URL": f"nats://127.0.0.1:{proxy.port}"}
        service = ServiceProcess(settings, tmp_path, ready=_STARTED)
        await opened.enter_async_context(service)
        host = await opened.enter_async_context(
            connected_host(fresh_nats_server.url, subject_prefix)
        )
        proxy.refuses = True
        proxy.cut(1)

        await until_logged(service, "worker.not_served")
        assert (await host.get("KEY")).value.reveal() == "value"
        await until_logged(service, "worker.died")
        (unserved,), died = service.logged("worker.not_served"), service.logged("worker.died")[0]
        assert (died["worker"], died["ended"]) == (unserved["worker"], "unserved")

        proxy.refuses = False
        await until_logged(service, "worker.restarted")
        assert (await host.get("KEY")).value.reveal() == "value"
        assert service.logged("worker.restarted")[0]["worker"] == unserved["worker"]


async def test_where_a_permission_is_missing_no_worker_is_replaced_and_both_heal(
    two_workers: dict[str, str],
    start_nats_server: StartNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    every = _ALL.format(prefix=subject_prefix)
    server = await start_nats_server(_RIGHTS.format(hears=every))
    url = server.url.removeprefix("nats://")
    settings = two_workers | {"NATS_URL": f"nats://backend:b@{url}"}
    async with (
        ServiceProcess(settings, tmp_path, ready=_STARTED) as service,
        connected_host(f"nats://host:h@{url}", subject_prefix) as host,
    ):
        await server.reload(_RIGHTS.format(hears='"_INBOX.>"'))
        await until_logged(service, "worker.not_served", 2)

        await server.reload(_RIGHTS.format(hears=every))
        await until_logged(service, "worker.served_again", 2)
        assert (await host.get("KEY")).value.reveal() == "value"
        assert not service.logged("worker.died")
