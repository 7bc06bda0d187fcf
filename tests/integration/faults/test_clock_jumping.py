"""The machine's clock is set forward and back while hosts ask."""

from __future__ import annotations

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
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.wall_clock import WallClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize("cache_seconds", ["0", "60"])
async def test_a_clock_that_jumps_costs_no_request_and_no_login(
    cache_seconds: str,
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 50)
    folder = tmp_path / "clock"
    folder.mkdir()
    clock = WallClock(folder)
    changed = {"PYTHONPATH": f"{folder}:{ROOT}", "CACHE_TTL_SECONDS": cache_seconds}

    async with ServiceProcess(settings | changed, tmp_path) as service:
        async with hosts.load(keys, askers=10) as ends:
            for seconds in (0, HOUR, -HOUR, 400 * DAY, -DAY, 0):
                clock.jump(seconds)
                await until_more(ends, 60)
        assert await service.stop() == 0

    times = [record["timestamp"] for record in service.logged("secret_request")]
    assert max(times)[:4] > min(times)[:4], "the service never saw the clock jump"
    assert kinds(ends) == {ANSWERED: len(ends)}
    assert slowest(ends) < IN_TIME_SECONDS
    assert len(infisical.model.logins) == 1
    assert hosts.each_got_one_reply
