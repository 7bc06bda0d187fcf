"""More requests wait for a stopped service than nats-server keeps: it says why, and goes on."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import nats

from tests.support.environments import nats_kv_environment
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer

_SUBJECT = "wasmcloud.secrets.v1alpha1.infisical"
_REQUEST_BYTES = 15_000
_REQUESTS = 5_000
"""72 MiB; nats-server gives a client up at 64."""


async def test_it_reconnects_and_blames_its_own_lateness(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    server = await start_nats_server(jetstream=True)
    settings = nats_kv_environment(tmp_path) | {"NATS_URL": server.url}

    async with ServiceProcess(settings, tmp_path) as service:
        host = await nats.connect(server.url)
        await asyncio.sleep(0.5)
        service.signal(signal.SIGSTOP)
        for number in range(_REQUESTS):
            await host.publish(f"{_SUBJECT}.get", bytes(_REQUEST_BYTES), f"_INBOX.h.{number}")
        await host.flush()
        # Past the time at which its self-check is due.
        await asyncio.sleep(5)
        service.signal(signal.SIGCONT)
        lost = await service.wait_for("nats.disconnected")
        await service.wait_for("nats.reconnected")
        answer = await host.request(f"{_SUBJECT}.server_xkey", b"", timeout=5)
        await host.close()

    assert "late to its work" in lost["advice"]
    assert "64 MiB" in lost["advice"]
    assert answer.data.startswith(b"X")
