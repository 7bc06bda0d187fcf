"""A running service whose store is down: requests fail at once, until the store is back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.upstream.http import MAX_ATTEMPTS
from domain.model.errors import UpstreamError
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer


async def answered_in_the_end(host: Host, key: str) -> str | bytes:
    async with asyncio.timeout(20):
        while True:
            try:
                return (await host.get(key)).value.reveal()
            except UpstreamError:
                await asyncio.sleep(0.1)


async def advice_to_all(host: Host, keys: list[str]) -> list[str]:
    """Ask for all at once, and return what those were told who asked in vain."""
    ends = await asyncio.gather(*map(host.get, keys), return_exceptions=True)
    return [end.advice for end in ends if isinstance(end, UpstreamError)]


async def test_a_store_that_is_down_is_left_alone_until_one_request_finds_it_back(
    infisical_settings: dict[str, str], tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    keys = [f"KEY_{number}" for number in range(8)]
    others = [f"ANOTHER_{number}" for number in range(30)]
    for key in keys + others:
        infisical.model.put(key, key)

    async with ServiceProcess(infisical_settings, tmp_path) as service:
        await host.client.server_xkey()
        infisical.breaks.extend([Break.CLOSE] * 1000)
        failures = await advice_to_all(host, keys)
        await service.wait_for("breaker.opened")
        reads_before = len(infisical.model.reads)
        refusals = await advice_to_all(host, others)
        reads = len(infisical.model.reads) - reads_before
        infisical.breaks.clear()
        value = await answered_in_the_end(host, keys[0])
        await service.wait_for("breaker.closed")
        assert await service.stop() == 0

    assert all("cannot be reached" in advice for advice in failures)
    assert len(failures) == len(keys)
    # One at most goes ahead, as the probe.
    asked_again = [advice for advice in refusals if "asked again in" in advice]
    assert len(refusals) == len(others)
    assert len(asked_again) >= len(others) - 1
    assert reads <= MAX_ATTEMPTS
    assert value == keys[0]
