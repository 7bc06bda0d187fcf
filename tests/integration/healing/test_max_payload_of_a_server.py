"""A nats-server that disconnects hosts over their requests: not ready until it takes them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.admin_pages import Pages
from tests.support.environments import nats_kv_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until_awaited

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer


def says(ready: bool, checks: dict[str, Any]) -> bool:
    return checks["nats"]["ok"] is ready


async def test_the_service_is_ready_while_requests_fit(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    server = await start_nats_server("max_payload: 8192", jetstream=True)
    settings = nats_kv_environment(tmp_path) | {
        "NATS_URL": server.url,
        "ADMIN_ADDR": f"127.0.0.1:{neighbouring_ports(1)}",
    }
    pages = Pages(settings["ADMIN_ADDR"])

    async with ServiceProcess(settings, tmp_path) as service:
        for limit, ready in ((600, False), (32768, True)):
            # A reload, which nats-server announces to no client.
            await server.reload(f"max_payload: {limit}")

            await until_awaited(pages.checks, partial(says, ready))
        assert (await service.wait_for("nats.not_served"))["advice"].startswith(
            "nats-server takes 600 bytes"
        )
