"""Servers that refuse a request before they have read it, and hosts that are none."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http1.engine import Http1Engine
from adapters.upstream.message import UpstreamRequest
from adapters.upstream.streams import HttpStreams
from domain.model.errors import StoreTooSlow
from tests.support.certificate_demanding_server import TLS, CertificateDemandingServer
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

PLAIN_ON_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


def config(address: str, **settings: object) -> UpstreamConfig:
    scheme = "https" if settings else "http"
    return UpstreamConfig(
        "Store",
        "store",
        f"{scheme}://{address}",
        "URL",
        "CA",
        read_timeout_seconds=0.5,
        **settings,  # type: ignore[arg-type]  # of several kinds
    )


async def send(config: UpstreamConfig) -> UpstreamResponse:
    engine = Http1Engine(config)
    try:
        return await engine.send(UpstreamRequest("POST", f"{config.base_url}/x", {}, b"x" * 9000))
    finally:
        await engine.aclose()


class Resetting(LocalServer):
    """Answers after five bytes of a request, as a TLS port of a Go server does, and resets."""

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(PLAIN_ON_TLS)
        await writer.drain()
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def test_a_refusal_before_the_request_was_read_is_read_though_a_reset_follows() -> None:
    async with Resetting() as server:
        response = await send(config(server.address))

    assert response.status == 400
    assert response.body == b"Client sent an HTTP request to an HTTPS server.\n"


class Silent(LocalServer):
    """Begins a response, and says no more."""

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
        await asyncio.sleep(30)


async def test_half_a_head_ends_a_stream_though_its_body_may_be_silent_for_long() -> None:
    async with Silent() as server, asyncio.timeout(5):
        streams = HttpStreams(config(server.address))
        with pytest.raises(StoreTooSlow):
            async with streams.open("/x", headers={}, query={"watch": "1"}):
                pass
        await streams.aclose()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_that_is_refused_is_told_from_a_server_that_is_gone(
    version: ssl.TLSVersion,
) -> None:
    async with CertificateDemandingServer(version) as server:
        shown = (TLS / "client.pem", TLS / "client-key.pem")
        with pytest.raises(TransportError) as error:
            await send(
                config(
                    server.address,
                    ca_file=TLS / "ca.pem",
                    tls_server_name="localhost",
                    client_certificate=shown,
                )
            )

    assert error.value.failure is Failure.REFUSED
    assert error.value.may_need_certificates


@pytest.mark.parametrize("host", ["a..b", f"{'x' * 64}.test", "a" * 300])
async def test_a_host_that_no_resolver_takes_is_unreachable(host: str) -> None:
    with pytest.raises(TransportError) as error:
        await send(config(f"{host}:8200"))

    assert error.value.failure is Failure.UNREACHABLE
    assert error.value.never_sent
