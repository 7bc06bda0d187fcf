"""The reader of the service's log stops reading while hosts ask, and goes on later."""

from __future__ import annotations

import sys
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
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


async def test_no_secret_leaves_unrecorded_and_the_trail_goes_on_once_somebody_reads(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)
    small = {"AUDIT_BUFFER_BYTES": "100000", "CACHE_TTL_SECONDS": "5"}

    async with ServiceProcess(settings | small, tmp_path) as service:
        service.stop_reading()
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 100, "OtherError")
            service.go_on_reading()
            await until_more(ends, 50)
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED, "OtherError"}
    assert slowest(ends) < IN_TIME_SECONDS
    assert hosts.each_got_one_reply
    recorded = [
        event["outcome"]
        for event in service.logged("secret_request")
        if event["operation"] == "get"
    ]
    assert recorded.count(ANSWERED) == kinds(ends)[ANSWERED]


async def test_a_trail_that_may_lose_events_keeps_secrets_coming(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)
    lossy = {
        "AUDIT_BUFFER_BYTES": "1024",
        "AUDIT_WHEN_FULL": "drop",
        "CACHE_TTL_SECONDS": "5",
    }

    async with ServiceProcess(settings | lossy, tmp_path) as service:
        service.stop_reading()
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 1000)
        service.go_on_reading()
        assert await service.stop() == 0

    assert kinds(ends).keys() == {ANSWERED}
    assert len(service.logged("secret_request")) < len(ends)


async def test_a_reader_that_never_wakes_does_not_keep_the_service_from_stopping(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 50)

    async with ServiceProcess(settings | {"CACHE_TTL_SECONDS": "5"}, tmp_path) as service:
        service.stop_reading()
        async with hosts.load(keys, askers=10) as ends:
            await until_more(ends, 1000)
        service.ask_to_stop()
        await until(lambda: service.has_ended)
        service.go_on_reading()
        assert await service.exit_code() == 0
