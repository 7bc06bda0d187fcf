"""A real uvicorn on a free port, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import uvicorn
from structlog.testing import capture_logs

from adapters.admin_http.address import AdminAddress, AdminHttpError, parse_admin_address
from adapters.admin_http.app import build_app
from adapters.admin_http.readiness import Finding, Readiness, ReadinessCheck
from adapters.admin_http.server import AdminHttp
from adapters.metrics.registry import Metrics
from adapters.system.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANY_PORT = AdminAddress("127.0.0.1", 0)
CLOCK = SystemClock()


def admin_http(address: AdminAddress = ANY_PORT, probe_seconds: float = 0) -> AdminHttp:
    async def probe() -> Finding:
        await asyncio.sleep(probe_seconds)
        return Finding(ok=False, advice="Start the store.")

    readiness = Readiness([ReadinessCheck("store", probe)], CLOCK)
    metrics = Metrics(CLOCK, version="1", store="infisical")
    return AdminHttp(address, build_app(readiness, metrics, CLOCK), CLOCK)


@asynccontextmanager
async def listening(address: AdminAddress = ANY_PORT) -> AsyncIterator[AdminAddress]:
    admin = admin_http(address)
    try:
        yield await admin.start()
    finally:
        await admin.aclose()


async def send(address: AdminAddress, raw: bytes) -> bytes:
    """Send raw bytes and return all that comes back until the server ends the connection."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(raw)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def get(address: AdminAddress, path: str) -> tuple[int, bytes]:
    answer = await send(
        address, f"GET {path} HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_all_three_pages_are_served() -> None:
    async with listening() as address:
        assert await get(address, "/livez") == (200, b"alive\n")
        status, metrics = await get(address, "/metrics")
        assert status == 200
        assert b'wasmcloud_secrets_build_info{store="infisical",version="1"} 1.0' in metrics
        assert b"process_resident_memory_bytes" in metrics
        status, readiness = await get(address, "/readyz")
        assert status == 503
        assert json.loads(readiness)["checks"]["store"]["advice"] == "Start the store."


async def test_an_ipv6_address_is_listened_on() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with listening(AdminAddress("::1", 0)) as address:
        assert str(address).startswith("[::1]:")
        assert await get(address, "/livez") == (200, b"alive\n")


async def test_without_a_host_others_cannot_reach_it() -> None:
    async with listening(AdminAddress(parse_admin_address(":9090").host, 0)) as address:
        assert address.host == "127.0.0.1"


async def test_a_port_that_is_taken_is_said_so() -> None:
    async with listening() as address:
        second = admin_http(address)

        with pytest.raises(AdminHttpError, match="another process listens there"):
            await second.start()

        await second.aclose()
        assert await get(address, "/livez") == (200, b"alive\n")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "no interface of this machine"),
        ("no-such-host.invalid", "that host is unknown"),
    ],
)
async def test_an_address_that_is_not_of_this_machine_is_said_so(host: str, words: str) -> None:
    with pytest.raises(AdminHttpError, match=words) as refused:
        await admin_http(AdminAddress(host, 9090)).start()

    assert f"ADMIN_ADDR {host}:9090" in str(refused.value)


async def test_after_closing_nobody_listens_and_the_port_is_free() -> None:
    async with listening() as address:
        pass

    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await get(address, "/livez")
    async with listening(address) as again:
        assert again == address


async def test_closing_twice_and_closing_what_never_started_do_nothing() -> None:
    admin = admin_http()
    await admin.aclose()
    await admin.start()
    await admin.aclose()
    await admin.aclose()


async def test_a_request_under_way_is_answered_before_it_closes() -> None:
    admin = admin_http(probe_seconds=0.3)
    address = await admin.start()
    request = asyncio.create_task(get(address, "/readyz"))
    await asyncio.sleep(0.1)

    await admin.aclose()

    status, body = await request
    assert status == 503
    assert b"Start the store." in body


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_idle_and_half_sent_connections_do_not_hold_up_closing(sent: bytes) -> None:
    admin = admin_http()
    address = await admin.start()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(sent)
    await writer.drain()
    await asyncio.sleep(0.05)

    async with asyncio.timeout(3):
        await admin.aclose()

    await reader.read()
    writer.close()


@pytest.mark.parametrize("steps", range(10))
async def test_a_start_that_is_cancelled_leaves_nobody_listening(steps: int) -> None:
    admin = admin_http()
    start = asyncio.create_task(admin.start())
    for _ in range(steps):
        await asyncio.sleep(0)
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    await admin.aclose()

    assert not [task for task in asyncio.all_tasks() if task.get_name() == "admin-http"]


async def test_the_services_own_signal_handlers_stay() -> None:
    handled = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, handled.set)
    try:
        async with listening() as address:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(handled.wait(), 2)
            assert await get(address, "/livez") == (200, b"alive\n")
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


async def test_the_server_does_not_name_its_make() -> None:
    async with listening() as address:
        answer = await send(address, b"GET /livez HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n")

    assert b"uvicorn" not in answer.lower()


async def test_a_body_is_refused_without_waiting_for_it() -> None:
    async with listening() as address:
        answer = await send(
            address, b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc"
        )

    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_of_bounded_size_ends_its_connection_only(raw: bytes) -> None:
    async with listening() as address:
        answer = await send(address, raw)

        assert answer.startswith(b"HTTP/1.1 400 ")
        assert await get(address, "/livez") == (200, b"alive\n")


async def test_many_scrapes_at_once_are_all_answered() -> None:
    async with listening() as address:
        answers = await asyncio.gather(*(get(address, "/metrics") for _ in range(40)))

    assert {status for status, _ in answers} == {200}


async def test_a_server_that_breaks_while_it_starts_is_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-hunter2")

    monkeypatch.setattr(uvicorn.Server, "startup", broken)
    admin = admin_http()

    with capture_logs() as logs, pytest.raises(AdminHttpError, match="did not start") as failed:
        await admin.start()

    await admin.aclose()
    assert [(log["event"], log["error"]) for log in logs] == [
        ("admin_http.crashed", "RuntimeError")
    ]
    assert "canary" not in str(failed.value) + repr(logs)
