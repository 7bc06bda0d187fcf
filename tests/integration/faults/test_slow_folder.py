"""One folder of Infisical is slow or hangs, for more requests than the service serves at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.load import ANSWERED, kinds, slowest, value_of
from tests.support.admin_pages import Pages, until_so
from tests.support.free_ports import neighbouring_ports
from tests.support.host import connected_host
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from domain.model.identity import PublicXKey
    from tests.integration.faults.load import Crowd, End
    from tests.support.infisical_model import Call
    from tests.support.infisical_server import InfisicalServer

AT_A_TIME = 40
MAY_WAIT = 30
AT_ONCE = 5
DEADLINE_SECONDS = 3.0 + 0.7  # what the service may take, and a busy machine's share


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """The same service, to be watched."""
    return settings | {"ADMIN_ADDR": f"127.0.0.1:{neighbouring_ports(1)}"}


async def until_waiting(settings: dict[str, str], count: int) -> None:
    """Wait until that many requests wait for the store."""
    pages = Pages(settings["ADMIN_ADDR"])

    async def is_so() -> bool:
        return await pages.value("requests_waiting") == count

    await until_so(is_so)


async def ask_as_a_new_host(settings: dict[str, str]) -> PublicXKey:
    """Return the server xkey that a host hears that has not asked before."""
    async with connected_host(settings["NATS_URL"], settings["NATS_SUBJECT_PREFIX"]) as host:
        return await host.client.server_xkey()


def store(server: InfisicalServer, folder: str, count: int) -> list[str]:
    """Store that many secrets in a folder and return their keys."""
    keys = [f"{folder}/KEY_{number}" for number in range(count)]
    for key in keys:
        server.model.put(key.rpartition("/")[2], value_of(key), folder=f"/{folder}")
    return keys


async def few_at_a_time(hosts: Crowd, keys: Iterable[str]) -> list[End]:
    """Ask for all of them, never more than a few at once."""
    await hosts.host.client.server_xkey()  # once, and not by each of them
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(key: str) -> End:
        async with places:
            return await hosts.ask(key)

    return await asyncio.gather(*map(ask, keys))


async def test_a_thousand_requests_at_once_are_one_call_even_where_nothing_is_kept(
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
) -> None:
    (key,) = store(infisical, "slow", 1)
    all_wait = asyncio.Event()
    patient = settings | {"REQUEST_TIMEOUT_SECONDS": "9"}

    async def hold(_: Call, __: asyncio.StreamWriter) -> None:
        await all_wait.wait()

    async with ServiceProcess(patient, tmp_path) as service:
        before = len(infisical.model.reads)
        infisical.wire = hold
        rush = asyncio.create_task(hosts.rush([key] * 1000))
        await until_waiting(settings, 1000)
        all_wait.set()
        ends = await rush
        at_once = len(infisical.model.reads) - before
        again = await hosts.ask(key)
        assert await service.stop() == 0

    assert kinds([*ends, again]) == {ANSWERED: 1001}
    assert at_once == 1
    assert len(infisical.model.reads) == before + 2
    assert hosts.each_got_one_reply


@pytest.mark.parametrize("hanging", [1, 3], ids=["one folder hangs", "three folders hang"])
async def test_folders_that_hang_take_nothing_from_others_and_each_request_gets_one_reply(
    hanging: int,
    settings: dict[str, str],
    infisical: InfisicalServer,
    hosts: Crowd,
    tmp_path: Path,
) -> None:
    folders = [f"hanging-{number}" for number in range(hanging)]
    slow = [key for folder in folders for key in store(infisical, folder, 20)]
    kept, asked = store(infisical, "kept", 20), store(infisical, "asked", 20)
    small = settings | {"MAX_IN_FLIGHT": str(AT_A_TIME), "CACHE_TTL_SECONDS": "60"}

    async def hang(call: Call, _: asyncio.StreamWriter) -> None:
        if call.query["secretPath"].startswith("/hanging"):
            await asyncio.Event().wait()

    async with ServiceProcess(small, tmp_path) as service:
        warm = await few_at_a_time(hosts, kept)
        infisical.wire = hang
        rush = asyncio.create_task(hosts.rush(slow * (4 * AT_A_TIME // len(slow) + 1)))
        await until_waiting(settings, MAY_WAIT)
        server_xkey = await ask_as_a_new_host(settings)
        from_memory = await few_at_a_time(hosts, kept * 3)
        from_store = await few_at_a_time(hosts, asked)
        assert not rush.done()
        refused = await rush
        infisical.wire = None
        healed_after = await hosts.until_answered(slow[0])
        assert await service.stop() == 0

    assert server_xkey == await hosts.host.client.server_xkey()
    assert kinds([*warm, *from_memory, *from_store]) == {ANSWERED: 20 + 60 + 20}
    assert slowest([*from_memory, *from_store]) < 2.0
    assert set(kinds(refused)) <= {"UpstreamError", "OtherError"}
    assert slowest(refused) < DEADLINE_SECONDS
    assert healed_after < 8.0
    assert hosts.each_got_one_reply
    reasons = [record.get("reason") for record in service.logged("secret_request")]
    assert "too_many_waiting" in reasons
