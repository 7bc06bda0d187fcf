"""More secrets than the cache may hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.integration.faults.load import ANSWERED, IN_TIME_SECONDS, kinds, slowest, store_secrets
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.load import Crowd
    from tests.support.infisical_server import InfisicalServer


def served_from(service: ServiceProcess) -> Counter[str]:
    records = service.logged("secret_request")
    return Counter(record["served_from"] for record in records if record["operation"] == "get")


async def test_a_full_cache_answers_rightly_and_still_spares_the_store_what_is_asked_again(
    settings: dict[str, str], infisical: InfisicalServer, hosts: Crowd, tmp_path: Path
) -> None:
    keys = store_secrets(infisical, 200)
    full = settings | {"CACHE_TTL_SECONDS": "60", "CACHE_MAX_ENTRIES": "10"}

    async with ServiceProcess(full, tmp_path) as service:
        ends = [*await hosts.rush(keys, at_once=20), *await hosts.rush(keys, at_once=20)]
        evicted = len(infisical.model.reads)
        again = [await hosts.ask(key) for _ in range(2) for key in keys[:10]]
        assert await service.stop() == 0

    assert kinds([*ends, *again]) == {ANSWERED: 420}
    assert slowest([*ends, *again]) < IN_TIME_SECONDS
    assert evicted >= 390
    # Ten fit: once they are there, each is answered from memory.
    assert served_from(service)["cache"] >= 10
    assert hosts.each_got_one_reply
