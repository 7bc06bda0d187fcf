"""The suites that the service ships, and what is this transport's own."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typing_extensions import override

from http_transport.channel import HttpChannel
from http_transport.plugin import PLUGIN
from http_transport.transport import MAX_BODY_BYTES, HttpTransport
from wasmcloud_secrets.extension import TransportFailedError
from wasmcloud_secrets.testing import (
    FakeTransportContext,
    TransportContract,
    TransportPluginContract,
)
from wasmcloud_secrets.testing.echo_handler import EchoHandler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasmcloud_secrets.extension import Channel, Clock, Transport, TransportPlugin

CLOCK = FakeTransportContext().clock


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestHttpTransport(TransportContract):
    short = 0.3  # uvicorn looks for its end every tenth of a second

    @pytest.fixture(autouse=True)
    def _port(self) -> None:
        self.port = free_port()

    @override
    def transport(self, max_in_flight: int = 1000) -> Transport:
        return HttpTransport(self.port, CLOCK, max_in_flight)

    @override
    def channel(self) -> Channel:
        return HttpChannel(self.port, CLOCK)

    @override
    def clock(self) -> Clock:
        return CLOCK

    @override
    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class TestHttpPlugin(TransportPluginContract):
    @override
    def plugin(self) -> TransportPlugin[Any]:
        return PLUGIN

    @override
    def given(self) -> Mapping[str, Any]:
        return {"port": 8480}


async def test_a_port_that_another_program_has_ends_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(TransportFailedError, match="HTTP_TRANSPORT_PORT"):
            await HttpTransport(taken.getsockname()[1], CLOCK, 10).start(EchoHandler())


async def test_what_is_no_request_is_refused_and_the_next_one_is_served() -> None:
    port = free_port()
    transport, handler = HttpTransport(port, CLOCK, 10), EchoHandler()
    await transport.start(handler)
    url = f"http://127.0.0.1:{port}/get"

    async with httpx.AsyncClient(trust_env=False) as client:
        statuses = [
            (await client.get(url)).status_code,
            (await client.post(url, content=b"x" * (MAX_BODY_BYTES + 1))).status_code,
            (await client.post(url, content=b"x")).status_code,
        ]

    assert statuses == [400, 400, 200]
    assert handler.arrived.qsize() == 1
    await transport.stop(0)
