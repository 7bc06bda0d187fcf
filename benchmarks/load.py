"""Many hosts on one NATS connection, at so little cost that the service is what is measured."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

INBOX = "_INBOX.bench"

_CRLF = b"\r\n"
_CONNECT = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
_HELLO = f"CONNECT {json.dumps(_CONNECT)}\r\nSUB {INBOX}.* 1\r\nPING\r\n".encode()


@dataclass
class LoadResult:
    """What came of one load.

    Attributes:
        latencies: seconds from sending to the reply, in the order of the replies.
        seconds: from the first request to the last reply.
        answered: how many replies were sealed, which errors never are.
        errors: how often each reply in clear came.
        refusals: of each reply in clear, the request's number, its latency and the text.
        last: number, header block and body of the latest sealed reply.
    """

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    answered: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    refusals: list[tuple[int, float, str]] = field(default_factory=list)
    last: tuple[int, bytes, bytes] = (0, b"", b"")

    @property
    def a_second(self) -> float:
        """Replies for each second."""
        return len(self.latencies) / self.seconds


@final
class LoadConnection(asyncio.Protocol):
    """A NATS client that knows a handful of commands; an error from the server ends the load.

    Attributes:
        ready: done once the server has taken this client and its subscription.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._frames: Sequence[bytes] = ()
        self._sent_at: list[float] = []
        self._out: list[bytes] = []
        self._result = LoadResult()
        self._done: asyncio.Future[None] | None = None

    @classmethod
    async def open(cls, port: int) -> LoadConnection:
        """Connect to a local server without credentials."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        await connection.ready
        return connection

    async def run(
        self, frames: Sequence[bytes], at_once: int, patience: float | None = None
    ) -> LoadResult:
        """Send all frames, never more than `at_once` of them without a reply.

        Args:
            frames: complete NATS commands; the reply to number `n` goes to `{INBOX}.{n}`.
            at_once: how many may wait.
            patience: seconds after which replies still missing are given up; then this connection
                can send no other frames.
        """
        self._frames = frames
        self._result = LoadResult()
        self._sent_at = []
        self._done = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        for _ in range(min(at_once, len(frames))):
            self._send_next()
        self._flush()
        await asyncio.wait({self._done}, timeout=patience)
        if self._done.done():
            self._done.result()
        self._result.seconds = time.perf_counter() - started
        return self._result

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("NATS speaks over a stream")
        self._transport = transport
        transport.write(_HELLO)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection to NATS was lost")

    @override
    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._buffer + data
        position = 0
        while (end := data.find(_CRLF, position)) >= 0:
            line = data[position:end]
            following = end + 2
            if line.startswith((b"MSG ", b"HMSG ")):
                _, subject, _, *sizes = line.split(b" ")
                stop = following + int(sizes[-1])
                if len(data) < stop + 2:
                    break
                head = following + (int(sizes[0]) if len(sizes) > 1 else 0)
                self._take(subject, data[following:head], data[head:stop], now)
                following = stop + 2
            else:
                self._control(line)
            position = following
        self._buffer = data[position:]
        self._flush()

    def _take(self, subject: bytes, head: bytes, body: bytes, now: float) -> None:
        result = self._result
        number = int(subject.rpartition(b".")[2])
        latency = now - self._sent_at[number]
        result.latencies.append(latency)
        if head and body:
            result.answered += 1
            result.last = number, head, body
        else:
            error = (body or head).decode("utf-8", "replace")
            result.errors[error] = result.errors.get(error, 0) + 1
            result.refusals.append((number, latency, error))
        if len(self._sent_at) < len(self._frames):
            self._send_next()
        elif len(result.latencies) == len(self._frames) and self._done is not None:
            self._done.set_result(None)

    def _send_next(self) -> None:
        self._out.append(self._frames[len(self._sent_at)])
        self._sent_at.append(time.perf_counter())

    def _flush(self) -> None:
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _control(self, line: bytes) -> None:
        if line == b"PING":
            self._out.append(b"PONG\r\n")
        elif line == b"PONG" and not self.ready.done():
            self.ready.set_result(None)
        elif line.startswith(b"-ERR"):
            self._fail(line.decode("utf-8", "replace"))

    def _fail(self, reason: str) -> None:
        for future in (self.ready, self._done):
            if future is not None and not future.done():
                future.set_exception(ConnectionError(reason))
