"""A TCP proxy that a test can make swallow everything."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class TcpProxy:
    """Listens on a port of this machine and passes on to another one.

    Args:
        port: where to, on 127.0.0.1.
        host: the address to listen at.
        listen_on: the port to listen on; 0 takes a free one.

    Attributes:
        refuses: whether further connections are ended at once.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", listen_on: int = 0) -> None:
        self._to = port
        self._at = host, listen_on
        self.refuses = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Event] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many it passes on."""
        return len(self._open)

    def swallow(self) -> None:
        """Let nothing through any more on the connections there are, and end none of them."""
        for passing in self._open:
            passing.clear()
        self._open.clear()

    def cut(self, count: int | None = None) -> None:
        """End all connections there are, or so many of them."""
        for task in list(self._tasks)[:count]:
            task.cancel()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, *self._at)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        passing = asyncio.Event()
        passing.set()
        self._open.add(passing)
        try:
            with suppress(OSError, asyncio.CancelledError):
                from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
                try:
                    await asyncio.gather(
                        _pass_on(reader, to_server, passing),
                        _pass_on(from_server, writer, passing),
                    )
                finally:
                    to_server.close()
        finally:
            self._open.discard(passing)
            self._tasks.discard(task)
            writer.close()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event
) -> None:
    while data := await reader.read(65536):
        await passing.wait()
        writer.write(data)
        await writer.drain()
    writer.close()
