"""Attacks on the admin HTTP by name and by framing, against a real uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from adapters.admin_http.address import AdminAddress
from adapters.admin_http.bounds import KnownHostsOnly
from adapters.admin_http.server import AdminHttp
from adapters.system.clock import SystemClock
from tests.integration.admin_http.test_admin_http_server import send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

NAMES = ("metrics.example.com", "10.1.2.3")


async def _body(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"read {len(await request.body())}")


@pytest_asyncio.fixture
async def address() -> AsyncIterator[AdminAddress]:
    app = Starlette(routes=[Route("/", _body, methods=["GET", "POST"])])
    admin = AdminHttp(AdminAddress("127.0.0.1", 0), KnownHostsOnly(app, NAMES), SystemClock())
    try:
        yield await admin.start()
    finally:
        await admin.aclose()


async def status(address: AdminAddress, head: str, body: str = "") -> int:
    raw = f"{head}\r\nConnection: close\r\n\r\n{body}"
    return int((await send(address, raw.encode("latin-1"))).split(b" ", 2)[1])


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:9090", "localhost.", "127.0.0.1", "127.8.9.1:80", "[::1]"),
        *("[::1]:9090", "[::ffff:127.0.0.1]", "metrics.example.com", "Metrics.Example.com:443"),
        "10.1.2.3:9090",
    ],
)
async def test_a_request_that_names_a_known_host_is_answered(
    address: AdminAddress, host: str
) -> None:
    assert await status(address, f"GET / HTTP/1.1\r\nHost: {host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        *("attacker.example", "attacker.example:9090", "localhost.attacker.example", "10.1.2.4"),
        *("127.0.0.1.attacker.example", "[::2]", "", "localhost@attacker.example", "0x7f000001"),
        *("2130706433", "localhost, attacker.example", "localhost:x", "notmetrics.example.com"),
        *("\xb927.0.0.1", "[::1", "::1", "0.0.0.0"),
    ],
)
async def test_a_rebound_name_reads_nothing(address: AdminAddress, host: str) -> None:
    assert await status(address, f"GET / HTTP/1.1\r\nHost: {host}") in {400, 421}


async def test_a_second_or_missing_host_is_refused(address: AdminAddress) -> None:
    twice = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example"

    assert await status(address, twice) == 400
    assert await status(address, "GET / HTTP/1.1") == 400
    assert await status(address, "GET / HTTP/1.0") == 200


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: +3",
        "Transfer-Encoding : chunked",
    ],
)
async def test_a_body_that_ends_at_two_places_is_refused(
    address: AdminAddress, framing: str
) -> None:
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{framing}"

    assert await status(address, head, "0\r\n\r\nGET / HTTP/1.1\r\n") in {400, 501}


async def test_a_coded_body_of_an_old_client_is_refused(address: AdminAddress) -> None:
    head = "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked"

    assert await status(address, head, "0\r\n\r\n") == 400


async def test_nothing_that_follows_an_ambiguous_body_is_answered(address: AdminAddress) -> None:
    head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"

    answer = await send(
        address, f"{head}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )

    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("framing", "body"),
    [("Content-Length: 3", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")],
)
async def test_a_plainly_framed_body_is_read(
    address: AdminAddress, framing: str, body: str
) -> None:
    assert await status(address, f"POST / HTTP/1.1\r\nHost: localhost\r\n{framing}", body) == 200
