"""One connection to a server, for one request at a time."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.engine import Failure

if TYPE_CHECKING:
    from adapters.upstream.http1.responses import ResponseReader


@final
class HttpConnection(asyncio.Protocol):
    """Sends requests, and hands what arrives to the reader of the response.

    Attributes:
        transport: of the socket, or of TLS over it.
        is_open: requests may be sent.
        reused: a request was sent before the present one.
        generation: which of the pool's generations it belongs to.
        idle_since: when its last response had come, in the event loop's time.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader: ResponseReader | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._patience = math.inf
        self._due = math.inf
        self.is_open = False
        self.reused = False
        self.generation = 0
        self.idle_since = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("HTTP speaks over a stream")
        self.transport = transport
        self.is_open = True

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left of the last request, perhaps answered before it was all sent."""
        return self.is_open and not self.transport.get_write_buffer_size()

    def start(self, request: bytes, reader: ResponseReader, first: float, patience: float) -> None:
        """Send a request.

        Args:
            request: head and body.
            reader: takes the response.
            first: seconds that the server may be silent at first.
            patience: seconds that it may be silent later; infinite for no end.
        """
        self._reader = reader
        self._patience = patience
        self._due = self._loop.time() + first
        self._silence = self._loop.call_at(self._due, self._silent)
        self.transport.write(request)

    def end(self) -> None:
        """Take note that the response is done with."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._reader = None
        self.reused = True

    def abort(self) -> None:
        """Close the connection at once; what it was in the middle of is lost."""
        self.is_open = False
        if self._reader is not None:
            # Else the end of the connection would be taken for that of the response.
            self._reader.fail(Failure.UNREACHABLE, "Closed")
        self.transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None or reader.finished:
            # Nothing was asked: it is no response, and belongs to no request.
            self.abort()
            return
        self._due = self._loop.time() + self._patience
        reader.feed(data)

    @override
    def eof_received(self) -> None:
        self.is_open = False
        if self._reader is not None:
            self._reader.lost(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._reader is not None:
            self._reader.lost(exc)

    def _silent(self) -> None:
        """Give the response up, unless something has come since."""
        if self._reader is None or self._due == math.inf:
            return
        if self._loop.time() < self._due:
            self._silence = self._loop.call_at(self._due, self._silent)
        else:
            self._reader.fail(Failure.TIMED_OUT, "Silence")
