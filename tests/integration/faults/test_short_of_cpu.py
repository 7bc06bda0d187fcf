"""A service that gets no CPU says so, and blames no store."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.integration.faults.load import ANSWERED, store_secrets
from tests.support.admin_pages import Pages
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

STOPPED_SECONDS = 2.8
"""Of the three that a request may take."""


async def test_it_names_its_own_lateness_in_the_answer_the_trail_a_metric_and_readiness(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    (key,) = store_secrets(infisical, 1)
    settings |= {"ADMIN_ADDR": f"127.0.0.1:{neighbouring_ports(1)}"}
    pages = Pages(settings["ADMIN_ADDR"])

    async with ServiceProcess(settings, tmp_path) as service:
        assert (await hosts.ask(key)).kind == ANSWERED
        read = len(infisical.model.reads)
        infisical.breaks.extend([Break.HANG] * 10)
        asked = asyncio.create_task(hosts.ask(key))
        await until(lambda: len(infisical.model.reads) > read)
        # No scheduler gives it less.
        service.signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_SECONDS)
        service.signal(signal.SIGCONT)
        end = await asked
        late = await pages.value("process_late_seconds_total")
        process = (await pages.checks())["process"]
        record = await service.wait_for("secret_request", outcome="refused")

    assert end.kind == "UpstreamError"
    assert record["reason"] == "service_starved"
    assert late is not None
    assert late > STOPPED_SECONDS / 2
    assert process["ok"]
    assert "short of CPU, not the secret store" in process["advice"]
