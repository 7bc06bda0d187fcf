"""What goes over the wire, and what becomes of a server that fails on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.http import MAX_ATTEMPTS
from domain.model.errors import SecretNotFound, StoreUnavailable, UpstreamError
from tests.support.infisical_model import Result
from tests.support.infisical_server import Break
from tests.support.refused import refused
from tests.support.vault_recordings import recording
from tests.support.vault_server import VaultServer

if TYPE_CHECKING:
    from tests.integration.vault.conftest import Adapter, OpenAdapter

KEYS = {
    "key_space": "k/a b",
    "key_percent": "k/a%b",
    "key_question": "k/a?b",
    "key_hash": "k/a#b",
    "key_plus_encoded": "k/a+b",
    "key_quote": "k/a\"b'",
    "key_backslash": "k/a\\b",
    "key_unicode": "k/žluť",
    "key_leading_space": "k/ a",
    "key_trailing_space": "k/a ",
    "key_double_encoded_slash": "k/enc%2Fslash",
    "key_dots_inside": "k/a..b",
    "key_dot_end": "k/ab.",
    "key_braces": "k/{a}",
    "key_hidden": "k/.hidden",
}


@pytest.fixture
def adapter(server: VaultServer, open_adapter: OpenAdapter) -> Adapter:
    return open_adapter(server.url, VAULT_KV_VERSION="2")


@pytest.mark.parametrize(("name", "key"), KEYS.items())
async def test_the_request_line_is_byte_for_byte_the_one_that_a_real_server_read_right(
    server: VaultServer, adapter: Adapter, name: str, key: str
) -> None:
    server.instead = [name]
    secret = await adapter.get(key)

    assert server.targets[-1] == recording(name).target
    assert str(secret.value.reveal()).startswith('{"v":')


async def test_every_call_says_that_it_is_meant_and_none_asks_for_compression(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.put("app", {"v": "x"})
    await adapter.get("app", "1")

    for call in server.model.calls:
        assert call.headers["x-vault-request"] == "true"
        assert call.headers["accept-encoding"] == "identity"
        assert call.headers["user-agent"].startswith("wasmcloud-secrets/")
    assert server.targets[-1] == "/v1/secret/data/app?version=1"
    assert "x-vault-token" not in server.model.calls[0].headers


@pytest.mark.parametrize("way", [Break.RESET, Break.CLOSE, Break.HALF])
async def test_a_broken_connection_is_tried_again(
    server: VaultServer, adapter: Adapter, way: str
) -> None:
    server.model.put("app", {"v": "x"})
    server.breaks, server.login_breaks = [way, way], [way]

    assert await adapter.text("app") == '{"v":"x"}'


@pytest.mark.parametrize(
    "name", ["no_active_node_login", "standby_no_forwarding_login", "sealed_login_approle"]
)
async def test_an_election_is_waited_out(server: VaultServer, adapter: Adapter, name: str) -> None:
    server.model.put("app", {"v": "x"})
    server.login_instead = [name, name]
    server.instead = ["no_active_node_login"]

    assert await adapter.text("app") == '{"v":"x"}'


async def test_an_election_is_waited_out_for_longer_than_other_server_errors(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.put("app", {"v": "x"})
    await adapter.parts.check.check()
    server.instead = ["no_active_node_login"] * (MAX_ATTEMPTS + 2)

    assert await adapter.text("app") == '{"v":"x"}'


async def test_a_mount_being_upgraded_is_waited_for(server: VaultServer, adapter: Adapter) -> None:
    server.model.put("app", {"v": "x"})
    server.model.upgrading = 2

    assert await adapter.text("app") == '{"v":"x"}'


@pytest.mark.parametrize(
    ("name", "reason"),
    [("sealed_read", "store_sealed"), ("upgrade_kv1_to_kv2_read_400", "mount_upgrading")],
)
async def test_a_server_that_stays_unavailable_is_said_to_be(
    server: VaultServer, adapter: Adapter, name: str, reason: str
) -> None:
    server.instead = [name] * 20

    with refused(StoreUnavailable, reason):
        await adapter.get("app")
    assert len(server.targets) <= 7


async def test_a_server_that_hangs_is_given_up_at_the_deadline(
    server: VaultServer, adapter: Adapter
) -> None:
    await adapter.parts.check.check()
    server.breaks = [Break.HANG] * 5

    with refused(StoreUnavailable, "vault_timed_out"):
        await adapter.get("app", seconds=0.5)


async def test_reads_go_on_while_logins_hang(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    server.model.logins.lease = 6
    server.model.put("app", {"v": "x"})
    adapter = open_adapter(server.url)
    assert adapter.parts.run is not None
    await adapter.text("app")
    server.login_breaks = [Break.HANG] * 9
    running = asyncio.ensure_future(adapter.parts.run())
    try:
        async with asyncio.timeout(8):
            while len(server.targets) < 5:
                assert await adapter.text("app") == '{"v":"x"}'
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_web_server_at_the_address_is_no_vault(open_adapter: OpenAdapter) -> None:
    async with VaultServer() as server:
        server.answer = lambda _: Result(200, b"<html>", {"content-type": "text/html"})
        adapter = open_adapter(server.url, VAULT_KV_VERSION="2")

        with refused(UpstreamError, "vault_wrong_address"):
            await adapter.get("app", seconds=2)


async def test_nothing_answers_at_the_address(open_adapter: OpenAdapter) -> None:
    async with VaultServer() as server:
        address = server.url
    adapter = open_adapter(address)

    with refused(StoreUnavailable, "vault_unreachable"):
        await adapter.get("app", seconds=1)


async def test_a_large_secret_is_read_whole(server: VaultServer, adapter: Adapter) -> None:
    server.model.put("large", {"v": "<" * 500_000})

    assert await adapter.text("large") == '{"v":"' + "<" * 500_000 + '"}'


async def test_a_missing_secret_costs_one_call(server: VaultServer, adapter: Adapter) -> None:
    await adapter.parts.check.check()
    before = len(server.targets)

    with pytest.raises(SecretNotFound):
        await adapter.get("nothing")
    assert len(server.targets) - before == 1


async def test_no_more_than_the_allowed_connections_are_opened(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    adapter = open_adapter(server.url, VAULT_KV_VERSION="2", VAULT_MAX_CONNECTIONS="4")
    server.latency = 0.01
    for number in range(40):
        server.model.put(f"app/{number}", {"v": str(number)})
    texts = await asyncio.gather(*(adapter.text(f"app/{number}") for number in range(40)))

    assert texts == [f'{{"v":"{number}"}}' for number in range(40)]
    assert server.connections <= 4
