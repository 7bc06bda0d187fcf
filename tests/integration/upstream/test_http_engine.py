"""The HTTP engine over real sockets: bounds, broken connections, and connections that died."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import TYPE_CHECKING, Any

import pytest

from adapters.upstream.engine import REUSED_PATIENCE_SECONDS
from adapters.upstream.http import MAX_ATTEMPTS
from domain.model.errors import StoreUnavailable, UpstreamError
from tests.integration.upstream.engine_rig import OK, Client, Server
from tests.support.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


WARM = 10


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


async def test_a_request_goes_out_as_it_was_built_over_one_connection(server: Server) -> None:
    client = Client(server.address)
    for _ in range(3):
        assert (await client.get("/a%2Fb%2E?x=%20")).member("a") == 1
    await client.http.aclose()

    assert server.heads[0].startswith("GET /a%2Fb%2E?x=%20 HTTP/1.1\r\n")
    head = server.heads[0].lower()
    assert "accept-encoding: identity" in head
    assert "cookie" not in head
    assert server.connections == 1


async def test_no_cookie_is_kept(server: Server) -> None:
    server.response = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: s=canary; Path=/\r\n\r\n")
    client = Client(server.address)
    await client.get()
    await client.get()
    await client.http.aclose()

    assert "canary" not in server.heads[1]


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (b"content-length: 300000", b" " * 300000, "store_answer_too_large"),
        (b"content-length: 40\r\ncontent-encoding: gzip", b"x" * 40, "store_answer_unreadable"),
        (
            b"content-length: 20\r\ncontent-encoding: deflate",
            b"x" * 20,
            "store_answer_unreadable",
        ),
    ],
)
async def test_a_body_that_is_too_large_or_packed_is_refused(
    server: Server, headers: bytes, body: bytes, reason: str
) -> None:
    kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    server.response = kind + headers + b"\r\n\r\n" + body
    client = Client(server.address, max_body_bytes=100_000)

    with pytest.raises(UpstreamError) as error:
        await client.get()
    await client.http.aclose()

    assert error.value.reason == reason


async def test_a_bomb_of_a_body_is_never_unpacked(server: Server) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n"
    server.response = kind + f"content-length: {len(bomb)}\r\n\r\n".encode() + bomb
    client = Client(server.address)

    with pytest.raises(UpstreamError):
        await client.get()
    await client.http.aclose()


async def test_warm_connections_that_died_in_a_failover_cost_one_short_wait(
    server: Server,
) -> None:
    async with TcpProxy(int(server.address.rpartition(":")[2])) as proxy:
        client = Client(f"127.0.0.1:{proxy.port}")
        server.delay = 0.1
        await asyncio.gather(*(client.get() for _ in range(WARM)))
        assert proxy.connections == WARM
        server.delay = 0.0
        proxy.swallow()

        began = client.clock.monotonic()
        first = await client.get()
        took = client.clock.monotonic() - began
        again = client.clock.monotonic()
        await asyncio.gather(*(client.get() for _ in range(WARM)))

        assert first.status == 200
        assert took < REUSED_PATIENCE_SECONDS + 0.5
        assert client.clock.monotonic() - again < 1.0
        await client.http.aclose()


async def test_a_server_that_is_slow_on_new_connections_too_is_waited_for(server: Server) -> None:
    client = Client(server.address)
    await client.get()
    server.delay = REUSED_PATIENCE_SECONDS + 0.3

    for _ in range(2):
        assert (await client.get()).status == 200

    # One try in vain: that it is the server which is slow is known from then on.
    assert len(server.heads) == 1 + 2 + 1
    await client.http.aclose()


async def test_a_connection_that_the_server_closed_while_idle_is_replaced_unseen(
    server: Server,
) -> None:
    async with TcpProxy(int(server.address.rpartition(":")[2])) as proxy:
        client = Client(f"127.0.0.1:{proxy.port}")
        await client.get()
        proxy.cut()

        assert (await client.get()).status == 200
        await client.http.aclose()


async def test_a_name_that_leads_elsewhere_is_followed_at_the_first_failed_connect(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, real = asyncio.get_running_loop(), int(server.address.rpartition(":")[2])
    addresses = ["127.0.0.2"]

    async def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in addresses]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    async with TcpProxy(real, host="127.0.0.2") as former:
        client = Client(f"store.test:{former.port}")
        await client.get()
        port = former.port
    addresses[:] = ["127.0.0.3"]
    async with TcpProxy(real, host="127.0.0.3", listen_on=port):
        began = client.clock.monotonic()
        assert (await client.get()).status == 200
        assert client.clock.monotonic() - began < 2.0
        await client.http.aclose()


async def test_each_attempt_is_one_request_also_where_used_connections_break(
    server: Server,
) -> None:
    client = Client(server.address)
    await client.get()
    server.hangs_up = True

    with pytest.raises(StoreUnavailable):
        await client.get()
    await client.http.aclose()

    assert len(server.heads) == 1 + MAX_ATTEMPTS


async def test_a_server_that_is_gone_is_unreachable() -> None:
    async with Server() as gone:
        address = gone.address
    client = Client(address)

    with pytest.raises(StoreUnavailable) as error:
        await client.get()
    await client.http.aclose()

    assert error.value.reason == "store_unreachable"


async def test_a_cancelled_call_frees_its_connection(server: Server) -> None:
    client = Client(server.address, max_connections=2)
    server.delay = 30.0
    calls = [asyncio.create_task(client.get()) for _ in range(3)]
    await asyncio.sleep(0.1)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    server.delay = 0.0

    assert (await client.get(seconds=2.0)).status == 200
    await client.http.aclose()
