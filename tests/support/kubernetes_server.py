"""A local HTTP server that speaks as a Kubernetes API server: a model, recordings, or broken."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.support.http_server import HttpServer, broken, write
from tests.support.infisical_model import Call, Result
from tests.support.kubernetes_model import KubernetesModel

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

_SEATED_SECONDS = 0.01
RECORDINGS = Path(__file__).resolve().parents[1] / "recordings" / "kubernetes"


def recording(name: str) -> dict[str, Any]:
    """Return a recorded exchange with a real API server."""
    document: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return document


def recorded_result(name: str) -> Result:
    """Return a recorded answer, ready to send."""
    response = recording(name)["response"]
    left_out = {"content-length", "transfer-encoding"}
    headers = {k.lower(): v for k, v in response["headers"].items() if k.lower() not in left_out}
    # A watch that is refused has its Status where the events would be.
    body = response["body"] if "body" in response else response["events"][0]["line"]
    if isinstance(body, str):
        body = body.encode()
    elif body is None:
        body = b""
    elif not headers.get("content-type", "").startswith("application/json"):
        body = json.dumps(body).encode()
    return Result(response["status"], body, headers)


def recorded_lines(name: str) -> list[dict[str, Any]]:
    """Return the lines of a recorded watch."""
    return [event["line"] for event in recording(name)["response"]["events"]]


def plays(name: str) -> Callable[[Call], Result]:
    """Answer every call with one recording."""
    return lambda _: recorded_result(name)


class KubernetesServer(HttpServer):
    """Listens on a free port of this machine while its context is open.

    Attributes:
        model: the server's behaviour.
        answer: answers calls; None leaves it to the model.
        breaks: what to do to the next reads of a Secret instead, first come first served.
        seats: calls answered at a time, each in a hundredth of a second; more are throttled, as by
            Priority and Fairness. None answers any number.
        open_watches: how many are being followed now.
    """

    def __init__(
        self, answer: Callable[[Call], Result] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(tls)
        self.model = KubernetesModel()
        self.answer = answer
        self.breaks: list[str] = []
        self.seats: int | None = None
        self._seated = 0
        self._ends = asyncio.Event()
        self._cut = False
        self.open_watches = 0

    def end_watches(self, *, cut: bool = False) -> None:
        """End all open watches: cleanly, as at their time limit, or in the middle."""
        self._cut = cut
        self._ends.set()
        self._ends = asyncio.Event()

    @override
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        if call.query.get("watch") == "1" and self.answer is None:
            return await self._stream(self.model.watch(call), writer)
        way = self.breaks.pop(0) if self.breaks else None
        if way is not None:
            self.model.calls.append(call)
        if await broken(way, writer):
            return False
        result = await self._throttled() or (self.answer or self.model.answer)(call)
        return await write(result, writer, way)

    async def _throttled(self) -> Result | None:
        """Take a seat for as long as an answer takes; without a free one, the answer is 429."""
        if self.seats is None:
            return None
        if self._seated >= self.seats:
            return recorded_result("throttled_reject")
        self._seated += 1
        try:
            await asyncio.sleep(_SEATED_SECONDS)
        finally:
            self._seated -= 1
        return None

    async def _stream(
        self, events: AsyncIterator[Result | dict[str, Any]], writer: asyncio.StreamWriter
    ) -> bool:
        ends, begun = self._ends, False
        self.open_watches += 1
        try:
            while (event := await _next(events, ends)) is not None:
                if isinstance(event, Result):
                    return await write(event, writer)
                if not begun:
                    _begin_stream(writer)
                    begun = True
                if event:
                    _write_chunk(json.dumps(event).encode() + b"\n", writer)
                await writer.drain()
            if self._cut:
                writer.transport.abort()
                return False
            if not begun:
                _begin_stream(writer)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            self.open_watches -= 1
        return True


async def _next(
    events: AsyncIterator[Result | dict[str, Any]], ends: asyncio.Event
) -> Result | dict[str, Any] | None:
    """Return the next event; None once the watch is over."""
    step = asyncio.ensure_future(anext(events, None))
    end = asyncio.ensure_future(ends.wait())
    try:
        await asyncio.wait({step, end}, return_when=asyncio.FIRST_COMPLETED)
        return step.result() if step.done() else None
    finally:
        step.cancel()
        end.cancel()
        await asyncio.gather(step, end, return_exceptions=True)


def _begin_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )


def _write_chunk(data: bytes, writer: asyncio.StreamWriter) -> None:
    # In two pieces, since nothing says that a chunk is a line.
    for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
