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

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

HOUR, DAY = 3600, 86400

ANOTHER_CLOCK = """\
import pathlib
import time

_offset = pathlib.Path(__file__).with_name("offset")
_true_time = time.time
_true_time_ns = time.time_ns
time.time = lambda: _true_time() + int(_offset.read_text())
time.time_ns = lambda: _true_time_ns() + int(_offset.read_text()) * 10**9
"""
"""Python imports `sitecustomize` before anything else; setting the real clock would take root."""


class WallClock:
    """What the service takes for the time of day, as an offset in seconds."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self._offset.write_text("0")
        (folder / "sitecustomize.py").write_text(ANOTHER_CLOCK)

    def jump(self, seconds: int) -> None:
        """Set it to that far from the true time, at once."""
        fresh = self._offset.with_name("offset.new")
        fresh.write_text(str(seconds))
        fresh.replace(self._offset)


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
