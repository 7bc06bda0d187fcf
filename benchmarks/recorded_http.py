"""An upstream that answers after a while, at so little cost that it is not measured."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Self, final

from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

_END: Final = b"\r\n\r\n"


class RecordedHttp(ABC):
    """Listens on a free port of this machine while its context is open.

    Args:
        latency: seconds before each answer, as of a server some way off.
        tls: has it speak HTTPS.

    Attributes:
        calls: all requests.
        connections: how many were opened.
    """

    def __init__(self, latency: float, tls: ssl.SSLContext | None = None) -> None:
        self._latency = latency
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.calls = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """The base URL."""
        if self._server is None:
            raise RuntimeError("enter the server's context first")
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @abstractmethod
    def response(self, head: bytes) -> bytes:
        """Return what a request of this head is answered with."""

    def answer(self, head: bytes, write: Callable[[bytes], None]) -> None:
        """Answer one request after the latency, at once where there is none."""
        self.calls += 1
        response = self.response(head)
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, write, response)
        else:
            write(response)


@final
class _Connection(asyncio.Protocol):
    def __init__(self, server: RecordedHttp) -> None:
        self._server = server
        self._buffer = b""
        server.connections += 1

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("HTTP speaks over a stream")
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_END)) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + len(_END) :]
            self._server.answer(head, self._write)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def encoded(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a recorded response as it goes over the wire, with its length."""
    kept = ((key, text) for key, text in headers.items() if key.lower() != "content-length")
    lines = [f"HTTP/1.1 {status} Status", *(f"{key}: {text}" for key, text in kept)]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
