"""An OpenBao that answers as recorded, after a while, at so little cost that it is not measured."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, final

from typing_extensions import override

from adapters.crypto import base64url
from tests.support.vault_recordings import recording

if TYPE_CHECKING:
    from collections.abc import Callable

READ: Final = "inline_jwt_read_ok"
MOUNT: Final = "detect_v2"
KNOWS_INLINE: Final = "inline_jwt_role_missing"
"""What a server that knows inline authentication answers to a login that must fail."""

_NO_ROLE: Final = base64url.encode(b'{"key":"role","value":"no-role"}').encode("ascii")
"""By this role the service finds out what the server knows."""

_END = b"\r\n\r\n"


@final
class RecordedVault:
    """Listens on a free port of this machine while its context is open.

    Args:
        latency: seconds before each answer, as of a server some way off.

    Attributes:
        reads: how many secrets were asked for.
        calls: all requests.
        connections: how many were opened.
    """

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._server: asyncio.Server | None = None
        self.reads = 0
        self.calls = 0
        self.connections = 0
        self._read, self._mount, self._inline = map(_response, (READ, MOUNT, KNOWS_INLINE))

    @property
    def url(self) -> str:
        """The base URL."""
        if self._server is None:
            raise RuntimeError("enter the server's context first")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    def answer(self, head: bytes, write: Callable[[bytes], None]) -> None:
        """Answer one request after the latency."""
        self.calls += 1
        if _NO_ROLE in head:
            response = self._inline
        elif b" /v1/sys/internal/ui/mounts/" in head:
            response = self._mount
        else:
            self.reads += 1
            response = self._read
        asyncio.get_running_loop().call_later(self._latency, write, response)


@final
class _Connection(asyncio.Protocol):
    def __init__(self, server: RecordedVault) -> None:
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


def _response(name: str) -> bytes:
    recorded = recording(name).response
    kept = ((key, text) for key, text in recorded.headers.items() if key != "content-length")
    lines = [f"HTTP/1.1 {recorded.status} Status", *(f"{key}: {text}" for key, text in kept)]
    lines += [f"content-length: {len(recorded.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + recorded.body
