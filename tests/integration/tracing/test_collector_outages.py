"""A collector that is down, hangs or refuses: no request and no stop ever waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from adapters.tracing.export import FLUSH_SECONDS
from tests.support.free_ports import neighbouring_ports
from tests.support.otlp_collector import OtlpCollector
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]

REQUESTS = 300
COLLECTOR_TOKEN = "canary-collector-token"


async def longest_of(host: Host, count: int = REQUESTS) -> float:
    """Ask that often, eight at a time, and return the longest wait in seconds."""
    longest = 0.0
    places = asyncio.Semaphore(8)

    async def ask() -> None:
        nonlocal longest
        async with places:
            began = time.perf_counter()
            await host.get("KEY")
            longest = max(longest, time.perf_counter() - began)

    await asyncio.gather(*(ask() for _ in range(count)))
    return longest


async def seconds_to_stop(service: ServiceProcess) -> float:
    began = time.perf_counter()
    assert await service.stop() == 0
    return time.perf_counter() - began


async def test_a_collector_that_hangs_delays_no_request_and_the_stop_by_seconds(
    untraced: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")

    async with (
        OtlpCollector(hangs=True) as collector,
        ServiceProcess(untraced | {"TRACES_ENDPOINT": collector.endpoint}, tmp_path) as service,
    ):
        await longest_of(host)
        await until(lambda: bool(collector.bodies))
        longest = await longest_of(host)
        seconds = await seconds_to_stop(service)

    assert longest < 1
    assert seconds < FLUSH_SECONDS + 2
    assert service.logged("traces.not_flushed")


async def test_without_a_collector_requests_are_answered_and_one_line_says_so(
    untraced: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")
    endpoint = f"http://127.0.0.1:{neighbouring_ports(1)}/v1/traces"
    settings = untraced | {
        "TRACES_ENDPOINT": endpoint,
        "TRACES_HEADERS": f"authorization={COLLECTOR_TOKEN}",
    }

    async with ServiceProcess(settings, tmp_path) as service:
        longest = await longest_of(host)
        failed = await service.wait_for("traces.export_failed")
        await longest_of(host)
        seconds = await seconds_to_stop(service)

    assert longest < 1
    assert seconds < FLUSH_SECONDS + 2
    assert "TRACES_ENDPOINT" in failed["advice"]
    assert len(service.logged("traces.export_failed")) == 1
    assert COLLECTOR_TOKEN not in service.output


@pytest.mark.parametrize("status", [401, 503])
async def test_a_collector_that_comes_round_gets_spans_again(
    untraced: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer, status: int
) -> None:
    infisical.model.put("KEY", "value")

    async with (
        OtlpCollector(status=status) as collector,
        ServiceProcess(untraced | {"TRACES_ENDPOINT": collector.endpoint}, tmp_path) as service,
    ):
        await host.get("KEY")
        failed = await service.wait_for("traces.export_failed")
        collector.bodies.clear()
        collector.status = 200
        await host.get("KEY")
        recovered = await service.wait_for("traces.export_recovered")
        assert await service.stop() == 0

    assert failed["status"] == status
    assert recovered["spans_lost"] >= 1
    assert collector.requests
