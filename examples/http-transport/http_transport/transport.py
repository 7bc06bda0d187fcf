"""Requests from HTTP to the core, and the replies back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from http_transport.server import HttpServer
from wasmcloud_secrets.extension import Reply, Request, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wasmcloud_secrets.extension import Clock, RequestHandler

HOST_XKEY: Final = "wasmcloud-host-xkey"
RESPONSE_XKEY: Final = "server-response-xkey"
MAX_BODY_BYTES: Final = 1024 * 1024
"""More than the core takes: it refuses what is too large for it with an error of the protocol."""


class HttpTransport(Transport):
    """Takes `POST /{operation}` on the loopback address.

    Attributes:
        in_flight: requests that are being answered.
    """

    def __init__(self, port: int, clock: Clock, max_in_flight: int) -> None:
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._server = HttpServer(port, self._answer)
        self._handler: RequestHandler | None = None
        self.in_flight: set[asyncio.Task[Reply]] = set()

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._handler = handler
        await self._server.start()

    @override
    async def stop(self, grace_seconds: float) -> None:
        if self._handler is None:
            return
        self._server.refuse_further()
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + grace_seconds):
                while self.in_flight:
                    await asyncio.wait(self.in_flight)
        except TimeoutError:
            for task in self.in_flight:
                task.cancel()
        await self._server.ended()
        self._handler = None

    async def _answer(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = await _body(receive) if scope["method"] == "POST" else None
        handler = self._handler
        if body is None or handler is None:
            await _send(send, 400, b"POST a sealed request of at most 1 MiB to /get.\n")
            return
        xkeys = [text for name, text in scope["headers"] if name == HOST_XKEY.encode()]
        request = Request(
            operation=scope["path"].removeprefix("/"),
            body=body,
            host_xkey=xkeys[0].decode("latin-1") if len(xkeys) == 1 else None,
            received_at=self._clock.monotonic(),
        )
        if len(self.in_flight) >= self._max_in_flight:
            reply = handler.refuse(request, "overloaded")
        else:
            task = asyncio.create_task(_serve(handler, request))
            self.in_flight.add(task)
            task.add_done_callback(self.in_flight.discard)
            reply = await task
        # Without the response xkey its header must be absent: an error is not sealed.
        sealed = {} if reply.response_xkey is None else {RESPONSE_XKEY: reply.response_xkey}
        await _send(send, 200, reply.body, sealed)


async def _serve(handler: RequestHandler, request: Request) -> Reply:
    try:
        return await handler.handle(request)
    except asyncio.CancelledError:
        return handler.refuse(request, "stopping")
    except Exception:  # noqa: BLE001  whatever the core did, the host waits for an answer
        return handler.refuse(request, "overloaded")


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _send(
    send: Callable[[dict[str, Any]], Awaitable[None]],
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    named = {"content-length": str(len(body)), **(headers or {})}
    encoded = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
