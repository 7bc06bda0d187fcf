"""A server that answers alike, and the HTTP client over a real socket to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.system.clock import SystemClock
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse


OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{"a": 1}'


class Server(LocalServer):
    """Answers every request alike. Attributes: `heads`, of the requests; `delay` before each;
    `hangs_up` instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.response = OK
        self.heads: list[str] = []
        self.connections = 0
        self.delay = 0.0
        self.hangs_up = False

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            self.heads.append(head)
            await asyncio.sleep(self.delay)
            if self.hangs_up:
                return
            writer.write(self.response)
            await writer.drain()


class Client:
    def __init__(self, address: str, **settings: float) -> None:
        self.clock = SystemClock()
        config = UpstreamConfig(
            name="Store",
            code="store",
            base_url=f"http://{address}",
            url_setting="STORE_URL",
            ca_setting="STORE_CA_FILE",
            **settings,  # type: ignore[arg-type]  # numbers of two kinds
        )
        self.http = UpstreamHttp(config, self.clock, lambda: 0.0)

    async def get(self, path: str = "/x", seconds: float = 8.0) -> UpstreamResponse:
        deadline = self.clock.monotonic() + seconds
        return await self.http.request("GET", path, deadline=deadline)
