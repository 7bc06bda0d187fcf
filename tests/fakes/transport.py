"""A transport and a channel in memory; the handler is the one of the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.transport import Reply, Request
from ports.transport import Channel, ChannelError, RequestHandler, Transport
from wasmcloud_secrets.testing.echo_handler import EchoHandler as FakeHandler

__all__ = ["FakeChannel", "FakeHandler", "FakeTransport"]

if TYPE_CHECKING:
    from domain.model.transport import Requester
    from ports.clock import Clock


class FakeTransport(Transport):
    """Takes what a `FakeChannel` sends.

    Args:
        max_in_flight: requests served at once; any beyond are refused.
        max_reply_bytes: what every request says a reply may have.
        requester: whom it vouches for.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        max_in_flight: int = 8192,
        max_reply_bytes: int | None = None,
        requester: Requester | None = None,
    ) -> None:
        self.clock = clock
        self.max_in_flight = max_in_flight
        self.max_reply_bytes = max_reply_bytes
        self.requester = requester
        self._handler: RequestHandler | None = None
        self._running: set[asyncio.Task[Reply]] = set()

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._handler = handler

    @override
    async def stop(self, grace_seconds: float) -> None:
        if self._handler is None:
            return
        self._handler = None
        await asyncio.sleep(0)  # a task cancelled before its first step could not refuse
        try:
            async with self.clock.timeout_at(self.clock.monotonic() + grace_seconds):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    async def deliver(self, operation: str, body: bytes, host_xkey: str | None) -> Reply | None:
        """Return the one reply to a request; None if no service listens."""
        handler = self._handler
        if handler is None:
            return None
        request = Request(
            operation,
            body,
            host_xkey,
            self.clock.monotonic(),
            self.max_reply_bytes,
            self.requester,
        )
        if len(self._running) >= self.max_in_flight:
            return handler.refuse(request, "overloaded")
        task = asyncio.create_task(_serve(handler, request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)  # a requester that gives up does not end the work


async def _serve(handler: RequestHandler, request: Request) -> Reply:
    try:
        return await handler.handle(request)
    except asyncio.CancelledError:
        return handler.refuse(request, "stopping")
    except Exception:  # noqa: BLE001  as a real transport: the requester always gets a reply
        return handler.refuse(request, "overloaded")


class FakeChannel(Channel):
    """Sends to one `FakeTransport`.

    Attributes:
        broken: set it, and every request fails as if the connection were gone.
    """

    def __init__(self, transport: FakeTransport) -> None:
        self._transport = transport
        self.broken = False

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        if self.broken:
            raise ChannelError("The connection is gone; check it.", reason="disconnected")
        clock = self._transport.clock
        try:
            async with clock.timeout_at(clock.monotonic() + timeout_seconds):
                reply = await self._transport.deliver(operation, body, host_xkey)
        except TimeoutError:
            raise ChannelError("No reply in time; check the log.", reason="timeout") from None
        if reply is None:
            raise ChannelError("No service listens; start the service.", reason="no_responders")
        return reply
