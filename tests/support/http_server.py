"""A local HTTP server that answers as a model of a store does, or breaks on purpose."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.infisical_model import Call
from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    import ssl

    from tests.support.infisical_model import Result


class Break:
    """Ways to break a connection instead of answering on it."""

    HANG = "hang"
    RESET = "reset"
    HALF = "half"
    CLOSE = "close"


class HttpServer(LocalServer):
    """Listens on a free port of this machine while its context is open.

    Attributes:
        connections: how many were opened so far.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.connections = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self._tls else 'http'}://{self.address}"

    @abstractmethod
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer, and say whether the connection may be used again."""

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            while (call := await _read_call(reader)) is not None:
                if not await self._respond(call, writer):
                    break


async def broken(way: str | None, writer: asyncio.StreamWriter) -> bool:
    """Break a connection in a way that leaves no answer, and say whether it is broken."""
    if way == Break.HANG:
        await asyncio.Event().wait()
    if way == Break.RESET:
        writer.transport.abort()
    return way in {Break.RESET, Break.CLOSE}


async def write(result: Result, writer: asyncio.StreamWriter, way: str | None = None) -> bool:
    """Write an answer, or half of it, and say whether the connection may be used again."""
    headers, body = result.encoded()
    lines = [f"HTTP/1.1 {result.status} Status"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
    writer.write(body[: len(body) // 2] if way == Break.HALF else body)
    await writer.drain()
    return way != Break.HALF


async def _read_call(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (ln.partition(":") for ln in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(method, target, headers, body)
