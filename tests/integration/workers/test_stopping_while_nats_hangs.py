"""SIGTERM while nats-server neither answers nor ends: nothing waits for it beyond the bound."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from adapters.system.clock import SystemClock
from bootstrap.closing import CLOSING_SECONDS
from tests.integration.faults.load import crowd, until_more
from tests.support.environments import local_infisical_environment
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.infisical_server import InfisicalServer

GRACE_SECONDS = 2.0
_clock = SystemClock()


@contextmanager
def standing_still(server: LocalNatsServer) -> Iterator[None]:
    """Stop the server's process as it is, its sockets open; let it go on afterwards."""
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def recorded(path: Path) -> set[str]:
    return {json.loads(line)["request_id"] for line in path.read_text("utf-8").splitlines()}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_it_ends_in_time_and_the_audit_file_holds_every_request(
    workers: str,
    infisical: InfisicalServer,
    fresh_nats_server: LocalNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    trail = tmp_path / "audit.jsonl"
    settings = {
        **local_infisical_environment(infisical, fresh_nats_server.url, subject_prefix, tmp_path),
        "WORKERS": workers,
        "SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS),
        "INFISICAL_READ_TIMEOUT_SECONDS": "1",
        # So many large values at a time as are sealed within the limits on a busy machine too.
        "INFISICAL_MAX_CONNECTIONS": "20",
        "AUDIT_FILE": str(trail),
        # Nothing that it still has to write can be kept either.
        "AUDIT_STREAM": "AUDIT",
    }
    infisical.model.put("KEY", "value of KEY")
    # More than the sockets hold between here and the server.
    large = [f"LARGE_{number}" for number in range(40)]
    for key in large:
        infisical.model.put(key, key * 50_000)
    ready = "service.ready" if workers == "1" else "workers.started"

    async with (
        crowd(fresh_nats_server.url, subject_prefix, waits_seconds=2) as hosts,
        ServiceProcess(settings, tmp_path, ready=ready) as service,
        hosts.load(["KEY"], askers=20) as ends,
    ):
        await until_more(ends, 100)
        infisical.breaks.extend([Break.HANG] * len(large))
        asked = [asyncio.create_task(hosts.host.get(key)) for key in large]
        await until(lambda: not infisical.breaks)
        with standing_still(fresh_nats_server):
            told = _clock.monotonic()
            service.signal(signal.SIGTERM)
            code = await service.exit_code()
            took = _clock.monotonic() - told
        await asyncio.gather(*asked, return_exceptions=True)

    assert code == 0
    assert took < GRACE_SECONDS + CLOSING_SECONDS + 1
    assert len(service.logged("service.stopped")) == int(workers)
    # Its own limits of 2 seconds hold, so that none of its answers is given up.
    given_up = {record["part"] for record in service.logged("service.part_not_closed")}
    assert "transport" not in given_up
    requests = service.logged("secret_request")
    assert recorded(trail) == {record["request_id"] for record in requests}
    assert {record.get("key") for record in requests} >= set(large)
