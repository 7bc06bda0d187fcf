"""SIGTERM while many hosts ask: whatever was taken is answered."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.load import (
    ANSWERED,
    IN_TIME_SECONDS,
    kinds,
    slowest,
    store_secrets,
    until_more,
)
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer


def gets(service: ServiceProcess) -> int:
    records = service.logged("secret_request")
    return sum(record["operation"] == "get" for record in records)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_every_request_that_was_taken_is_answered_and_the_exit_code_is_0(
    workers: str,
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 300)
    ready = "workers.started" if workers == "2" else "service.ready"

    async with ServiceProcess(settings | {"WORKERS": workers}, tmp_path, ready=ready) as service:
        async with hosts.load(keys, askers=20) as ends:
            await until_more(ends, 100)
            burst = asyncio.create_task(hosts.rush(keys, at_once=40))
            await until_more(ends, 20)
            service.signal(signal.SIGTERM)
            code = await service.exit_code()
            burst_ends = await burst
        asked = [*ends, *burst_ends]

    assert code == 0
    # Once no replica listens any more the server says so; every request gets a reply.
    assert kinds(asked).keys() <= {ANSWERED, "OtherError", "no_responders"}
    assert slowest(asked) < IN_TIME_SECONDS
    assert hosts.each_got_one_reply
    assert gets(service) == hosts.replied
