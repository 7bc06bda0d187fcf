"""The cache of a running service: what it spares the store, and what it never hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.errors import UpstreamError
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]


def served_from(service: ServiceProcess) -> list[str]:
    return [
        record["served_from"]
        for record in service.logged("secret_request")
        if record["operation"] == "get" and record["outcome"] == "answered"
    ]


async def test_a_second_request_is_answered_from_memory_and_the_audit_trail_says_so(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")

    async with ServiceProcess(infisical_settings, tmp_path) as service:
        first = await host.get("KEY")
        called = len(infisical.model.calls)
        second = await host.get("KEY")
        assert await service.stop() == 0

    assert first.value.reveal() == second.value.reveal() == "value"
    assert len(infisical.model.calls) == called
    assert served_from(service) == ["store", "cache"]


async def test_a_changed_value_is_served_once_the_old_one_is_too_old(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "old")
    settings = infisical_settings | {"CACHE_TTL_SECONDS": "0.001"}

    async with ServiceProcess(settings, tmp_path):
        before = await host.get("KEY")
        infisical.model.put("KEY", "new")
        after = await host.get("KEY")

    assert (before.value.reveal(), after.value.reveal()) == ("old", "new")


async def test_nothing_stale_is_served_unless_asked_for(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "value")
    settings = infisical_settings | {"CACHE_TTL_SECONDS": "0.001", "REQUEST_TIMEOUT_SECONDS": "2"}

    async with ServiceProcess(settings, tmp_path):
        await host.get("KEY")
        infisical.breaks.extend([Break.CLOSE] * 1000)
        with pytest.raises(UpstreamError):
            await host.get("KEY")


async def test_a_stale_value_stands_in_while_infisical_is_down_where_that_is_allowed(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("KEY", "old")
    settings = infisical_settings | {
        "CACHE_TTL_SECONDS": "0.001",
        "CACHE_MAX_STALE_SECONDS": "60",
        "REQUEST_TIMEOUT_SECONDS": "3",
    }

    async with ServiceProcess(settings, tmp_path) as service:
        await host.get("KEY")
        infisical.model.put("KEY", "new")
        infisical.breaks.extend([Break.HANG] * 1000)
        during = await host.get("KEY")
        assert await service.stop() == 0

    assert during.value.reveal() == "old"
    assert served_from(service) == ["store", "stale"]


async def test_what_was_just_put_into_nats_kv_is_what_is_answered(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    async with ServiceProcess(nats_kv_settings, tmp_path) as service:
        for number in range(3):
            await writer.put("KEY", f"value {number}")
            assert (await host.get("KEY")).value.reveal() == f"value {number}"
        assert await service.stop() == 0

    assert served_from(service) == ["store"] * 3
