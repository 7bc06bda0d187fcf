"""An HTTP proxy of a test's own: it opens tunnels, and passes plain requests on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from typing_extensions import override

from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    import ssl

_END = b"\r\n\r\n"


class HttpProxy(LocalServer):
    """Leads every host name to 127.0.0.1.

    Attributes:
        heads: of the requests that it was sent, tunnels included.
        refuses_with: is answered instead, if set.
        hangs: says nothing.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.heads: list[str] = []
        self.refuses_with: bytes | None = None
        self.hangs = False

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(_END)
        except asyncio.IncompleteReadError:
            return
        self.heads.append(head.decode())
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses_with is not None:
            writer.write(self.refuses_with)
            await writer.drain()
            return
        method, target, _ = head.split(b" ", 2)
        place = target if method == b"CONNECT" else urlsplit(target).netloc
        port = int(place.rpartition(b":")[2])
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\nX-Proxy: test\r\n\r\n")
        else:
            to_server.write(head.replace(target, urlsplit(target).path or b"/", 1))
        try:
            await asyncio.gather(_pass_on(reader, to_server), _pass_on(from_server, writer))
        finally:
            to_server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
