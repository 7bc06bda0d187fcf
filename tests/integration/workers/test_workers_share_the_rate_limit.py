"""Two workers together keep the limit of reads that the operator set."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from domain.model.errors import UpstreamError
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

LIMIT = 21


async def test_two_workers_send_no_more_reads_a_minute_than_one_would(
    two_workers: dict[str, str], tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    keys = [f"KEY_{number}" for number in range(100)]
    for key in keys:
        infisical.model.put(key, key)
    settings = two_workers | {"INFISICAL_MAX_REQUESTS_PER_MINUTE": str(LIMIT)}

    async with ServiceProcess(settings, tmp_path, ready="workers.started") as service:
        await host.client.server_xkey()
        ends = await asyncio.gather(*map(host.get, keys), return_exceptions=True)
        assert await service.stop() == 0

    answered = [end for end in ends if not isinstance(end, BaseException)]
    refused = [end for end in ends if isinstance(end, UpstreamError)]
    # Each worker has looked at start whether the store answers.
    assert len(infisical.model.reads) == len(answered) + 2 == LIMIT
    assert len(refused) == len(keys) - len(answered)
    assert all("INFISICAL_MAX_REQUESTS_PER_MINUTE" in error.advice for error in refused)
    served = [r for r in service.logged("secret_request") if r["outcome"] == "answered"]
    by_worker = Counter(r["worker"] for r in served if r["operation"] == "get")
    assert by_worker == {0: 10, 1: 9}
