"""A server that answers every request alike, and the engine that asks it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http1.engine import Http1Engine
from adapters.upstream.message import UpstreamRequest
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server(LocalServer):
    """Attributes: `response` to each request; `open` connections; `made` so far; `delay` before."""

    def __init__(self) -> None:
        super().__init__()
        self.response = OK
        self.open = self.made = 0
        self.delay = 0.0

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.made += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self.delay)
                writer.write(self.response)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.open -= 1


class Client:
    def __init__(self, address: str, **settings: float) -> None:
        self._url = f"http://{address}/x"
        self.engine = Http1Engine(
            UpstreamConfig("Store", "store", f"http://{address}", "URL", "CA", **settings)  # type: ignore[arg-type]  # numbers of two kinds
        )

    async def get(self, **headers: str) -> UpstreamResponse:
        return await self.engine.send(UpstreamRequest("GET", self._url, headers))

    async def together(self, count: int) -> None:
        await asyncio.gather(*(self.get() for _ in range(count)))
