"""nats-server crashes while hosts ask, and comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.faults.load import ANSWERED, crowd, kinds, store_secrets, until_more
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.infisical_server import InfisicalServer

WAITS_SECONDS = 2.0
"""A host of wasmCloud waits for 10; these wait less, and ask again."""

DOWN_SECONDS = 0.5
ASKERS = 20


async def test_only_what_was_under_way_is_lost_and_hosts_are_served_again_in_seconds(
    settings: dict[str, str],
    infisical: InfisicalServer,
    fresh_nats_server: LocalNatsServer,
    subject_prefix: str,
    tmp_path: Path,
) -> None:
    keys = store_secrets(infisical, 200)
    url = fresh_nats_server.url

    async with (
        ServiceProcess(settings | {"NATS_URL": url}, tmp_path) as service,
        crowd(url, subject_prefix, WAITS_SECONDS) as hosts,
    ):
        async with hosts.load(keys, ASKERS) as ends:
            for _ in range(2):
                await until_more(ends, 100)
                await fresh_nats_server.kill()
                await asyncio.sleep(DOWN_SECONDS)
                await fresh_nats_server.start()
                await hosts.until_answered(keys[0])
                await until_more(ends, 100)
        after = await hosts.rush(keys, at_once=20)
        assert await service.stop() == 0

    assert kinds(ends).keys() <= {ANSWERED, "timeout", "disconnected", "no_responders"}
    # Each asker had one request under way at each crash; what it sent while the server was away
    # waits no longer than a host does.
    assert kinds(ends)["timeout"] <= 2 * ASKERS * 2
    assert {record["outcome"] for record in service.logged("secret_request")} == {ANSWERED}
    assert set(hosts.replies.values()) == {1}
    assert kinds(after) == {ANSWERED: len(keys)}
