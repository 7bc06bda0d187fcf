"""A bucket that is made in a JetStream domain is announced unless that domain was chosen."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from bootstrap.settings.variables import Variables
from ports.store_check import StoreUnreachableError
from tests.integration.nats_kv.kv_under_test import Kv
from tests.support.environments import kv_settings
from tests.support.free_ports import neighbouring_ports
from tests.support.waiting import until_awaited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.conftest import StartNatsServer

LEAF = "$JS.leaf.API"
HUB = "$JS.hub.API"


@pytest.fixture
def bucket(subject_prefix: str) -> str:
    return subject_prefix


async def servers(start: StartNatsServer, folder: Path) -> str:
    """Start a hub and a leaf node, each with a domain; return the leaf node's address."""
    port = neighbouring_ports()
    await start(
        f'jetstream {{ store_dir: "{folder / "hub"}", domain: hub }}\n'
        f"leafnodes {{ listen: 127.0.0.1:{port} }}"
    )
    leaf = await start(
        f'jetstream {{ store_dir: "{folder / "leaf"}", domain: leaf }}\n'
        f'leafnodes {{ remotes: [ {{ url: "nats://127.0.0.1:{port}" }} ] }}'
    )
    return leaf.url


@asynccontextmanager
async def connected(url: str, bucket: str, prefix: str | None) -> AsyncIterator[Kv]:
    chosen = {} if prefix is None else {"NATS_JETSTREAM_PREFIX": prefix}
    settings = Variables({"NATS_URL": url, **chosen}).load(NatsSettings)
    connection = NatsConnection(settings, SystemClock())
    await connection.open()
    try:
        yield Kv(connection.client, kv_settings(bucket=bucket), SodiumXKeyPair.generate())
    finally:
        await connection.close()


async def checked(kv: Kv) -> None:
    """Check the bucket, once the leaf node is connected to the hub."""
    check = kv.check

    async def passes() -> bool:
        try:
            await check.check()
        except StoreUnreachableError:
            return False
        return True

    await until_awaited(passes, bool)


@pytest.mark.parametrize(("prefix", "warnings"), [(None, ["leaf"]), (LEAF, []), (HUB, [])])
async def test_a_bucket_made_on_a_leaf_node_is_a_warning_unless_the_domain_is_chosen(
    start_nats_server: StartNatsServer,
    tmp_path: Path,
    bucket: str,
    *,
    prefix: str | None,
    warnings: list[str],
) -> None:
    url = await servers(start_nats_server, tmp_path)

    async with connected(url, bucket, prefix) as kv:
        with capture_logs() as logs:
            await checked(kv)
            await checked(kv)

    made = [log for log in logs if log["event"] == "nats.stream_made_in_domain"]
    assert [log["domain"] for log in made] == warnings
    assert all("NATS_JETSTREAM_PREFIX" in log["advice"] for log in made)


async def test_a_service_on_a_leaf_node_serves_a_bucket_of_the_hub(
    start_nats_server: StartNatsServer, tmp_path: Path, bucket: str
) -> None:
    url = await servers(start_nats_server, tmp_path)
    async with connected(url, bucket, HUB) as kv:
        await checked(kv)
        await kv.writer.put("key", "at-the-hub")

        assert (await kv.store.get("key")).value.reveal() == "at-the-hub"
        await kv.catalog.delete("key", keep_history=True)
        assert await kv.catalog.keys() == []
        await kv.writer.put("other", "at-the-hub")
    async with connected(url, bucket, LEAF) as kv:
        await kv.check.check()

        assert await kv.catalog.keys() == []


async def test_without_domains_a_new_bucket_is_no_warning(nats_url: str, bucket: str) -> None:
    async with connected(nats_url, bucket, None) as kv:
        with capture_logs() as logs:
            await kv.check.check()

    assert [log["event"] for log in logs] == ["nats_kv.bucket_created"]
