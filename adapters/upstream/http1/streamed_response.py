"""A response whose body is read piece by piece, as long as it goes on."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http1.responses import ResponseReader, is_packed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.upstream.http1.connection import HttpConnection

_MAX_AHEAD: Final = 256 * 1024
"""Bytes that may wait to be taken; beyond, the server has to wait."""


@final
class StreamedResponse(ResponseReader):
    """Hands on what comes. Its repr shows the status only.

    Args:
        connection: is read no faster than the pieces are taken.
    """

    def __init__(self, connection: HttpConnection) -> None:
        super().__init__("GET", math.inf)
        self._transport = connection.transport
        self._pieces: deque[bytes] = deque()
        self._ahead = 0
        self._failure: TransportError | None = None
        self._news = asyncio.Event()

    async def head(self) -> None:
        """Wait until the head has come.

        Raises:
            TransportError: it does not.
        """
        while not self.in_body:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    @override
    def __repr__(self) -> str:
        return f"StreamedResponse({self.status})"

    async def chunks(self, idle_seconds: float) -> AsyncIterator[bytes]:
        """Give the pieces of the body as they come; ends only with the body's proper end.

        Args:
            idle_seconds: how long none may come.

        Raises:
            TransportError: the connection broke, was silent for too long, or the body is
                compressed, though none was asked for.
        """
        while piece := await self._piece(idle_seconds):
            yield piece

    async def read(self, max_bytes: int, idle_seconds: float) -> bytes:
        """Return the body of a refusal, cut off after so many bytes; raises as `chunks` does."""
        body = bytearray()
        async for chunk in self.chunks(idle_seconds):
            body += chunk
            if len(body) >= max_bytes:
                break
        return bytes(body[:max_bytes])

    async def _piece(self, idle_seconds: float) -> bytes:
        """Return the next piece of the body; b"" at its proper end."""
        while not self._pieces:
            if self._failure is not None:
                raise self._failure
            if self.finished:
                return b""
            try:
                async with asyncio.timeout(idle_seconds):
                    await self._wait()
            except TimeoutError:
                # An event loop that was held up runs the timer and finds the piece at once.
                if not self._pieces:
                    self.fail(Failure.TIMED_OUT, "Silence")
        piece = self._pieces.popleft()
        self._ahead -= len(piece)
        if self._ahead < _MAX_AHEAD:
            self._transport.resume_reading()
        return piece

    @override
    def on_head(self) -> None:
        self._news.set()
        if is_packed(self.headers):
            self.fail(Failure.UNREADABLE, "Packed")

    @override
    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._ahead += len(piece)
        if self._ahead >= _MAX_AHEAD:
            self._transport.pause_reading()
        self._news.set()

    @override
    def on_end(self) -> None:
        self._news.set()

    @override
    def on_failure(self, error: TransportError) -> None:
        self._failure = error
        self._news.set()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()
