"""A running service whose store is down: requests fail at once, until the store is back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

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


async def test_a_store_that_is_down_is_left_alone_until_one_request_finds_it_back(
    infisical_settings: dict[str, str], tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    keys = [f"KEY_{number}" for number in range(8)]
    for key in keys:
        infisical.model.put(key, key)
    settings = infisical_settings | {"REQUEST_TIMEOUT_SECONDS": "1"}

    async with ServiceProcess(settings, tmp_path) as service:
        await host.client.server_xkey()
        infisical.breaks.extend([Break.CLOSE] * 1000)
        failures = await asyncio.gather(*map(host.get, keys), return_exceptions=True)
        await service.wait_for("breaker.opened")
        with pytest.raises(UpstreamError, match="asked again in"):
            await host.get("ANOTHER")
        infisical.breaks.clear()
        value = await answered_in_the_end(host, keys[0])
        await service.wait_for("breaker.closed")
        assert await service.stop() == 0

    assert all(isinstance(failure, UpstreamError) for failure in failures)
    assert value == keys[0]
