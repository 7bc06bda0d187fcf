"""nats-py's client, with messages taken and posted as the bytes they are.

nats-py makes an object of each message, reads all its headers, puts it into a queue, and encodes
headers for each reply. The service needs one header of each request, and its replies' header
blocks are ready.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from nats import errors
from nats.aio.client import Client
from typing_extensions import override

from adapters.nats.headers import NO_RESPONDERS, NO_RESPONDERS_START, STATUS
from adapters.nats.parser import StrictParser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    Sink = Callable[[bytes, bytes, bytes, bytes | None], Awaitable[None] | None]
    """Takes subject, reply subject (may be empty), body and raw header block of one message.

    Runs in the read loop, which awaits what it returns before it reads on.
    """

SELF_CHECK = "Wasmcloud-Secrets-Self-Check"
"""The header of a replica's own question for the server xkey, which no core has to see."""

SELF_CHECKS_A_SECOND = 50
"""Enough for as many replicas; further ones are requests like any other, audited and paced: a peer
may send that header as well."""

_NOT_IN_SUBJECTS = b" \t\r\n"
"""As nats-py refuses to publish to, so that a peer cannot inject a command of the protocol."""

_log = structlog.get_logger()


class RawMessageClient(Client):
    """Hands each message of a subscription to its sink, and publishes without a wait.

    Neither is counted in nats-py's `stats`, which is not read here.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ps = self._parser = StrictParser(self)
        self._sinks: dict[int, Sink] = {}
        self._largest = 0

    @property
    def reads(self) -> int:
        """How many times something was read from the server."""
        return self._parser.reads

    async def subscribe_raw(self, subject: str, queue: str, sink: Sink) -> int:
        """Subscribe in a queue group; `sink` runs in the read loop and must not be slow. Returns
        the subscription's number, for `unsubscribe_raw`.
        """
        sid = self._sid + 1  # what `subscribe` takes before it first yields
        self._sinks[sid] = sink
        await self.subscribe(subject, queue)
        return sid

    async def unsubscribe_raw(self, sid: int) -> None:
        """End a subscription; once it returns, every message the server sent is in the sink.

        Raises:
            nats.errors.Error, OSError: the server did not get it. Nothing more arrives anyway.
        """
        self._remove_sub(sid)  # a reconnect must not bring it back
        try:
            if self.is_connected:
                await self._send_unsubscribe(sid)
                await self.flush()
        finally:
            self._sinks.pop(sid, None)

    async def pause(self, sid: int) -> None:
        """End a subscription until the next reconnect; then every message sent is in the sink.

        Raises:
            nats.errors.Error, OSError: the server could not be notified.
        """
        await self._send_unsubscribe(sid)
        await self.flush()

    def publish_raw(
        self, subject: bytes, body: bytes, header_block: bytes = b"", reply_to: bytes = b""
    ) -> Coroutine[Any, Any, None] | None:
        """Publish as `publish` does, with headers that need no more looking at.

        Args:
            header_block: from "NATS/1.0" to the empty line, both included; empty for none.
            reply_to: where an answer is to go; empty for nowhere.

        Returns:
            None, or what to await before more is published: until then the server takes too little.

        Raises:
            nats.errors.Error: as `publish` does.
        """
        if not subject or len(subject.translate(None, _NOT_IN_SUBJECTS)) < len(subject):
            raise errors.BadSubjectError
        if reply_to:
            if len(reply_to.translate(None, _NOT_IN_SUBJECTS)) < len(reply_to):
                raise errors.BadSubjectError
            subject = b"%b %b" % (subject, reply_to)
        size = len(header_block) + len(body)
        if self._status != Client.CONNECTED:
            self._check_keeping(size)
        if size > self._max_payload:
            raise errors.MaxPayloadError
        self._largest = max(self._largest, size)
        if header_block:
            parts = subject, len(header_block), size, header_block, body
            message = b"HPUB %b %d %d\r\n%b%b\r\n" % parts
        else:
            message = b"PUB %b %d\r\n%b\r\n" % (subject, size, body)
        self._pending.append(message)
        self._pending_data_size += len(message)
        if self._pending_data_size > self._max_pending_size:
            return self._flush_pending(force_flush=True)
        return self._wake_flusher()

    def _check_keeping(self, size: int) -> None:
        if self.is_closed:
            raise errors.ConnectionClosedError
        if size + self._pending_data_size > self._max_pending_size:
            raise errors.OutboundBufferLimitError

    def _wake_flusher(self) -> Coroutine[Any, Any, None] | None:
        queue, flusher = self._flush_queue, self._flusher_task
        if queue is None or not queue.empty() or self._status != Client.CONNECTED:
            return None
        if flusher is None or flusher.done():
            return self._flush_pending()
        queue.put_nowait(asyncio.get_running_loop().create_future())
        return None

    def deliver(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        """Hand one message to its sink; what is returned is to be awaited before the next."""
        sink = self._sinks.get(sid)
        if sink is None:
            return self._patiently(self._process_msg(sid, subject, reply, data, headers or b""))
        try:
            waiting = sink(subject, reply, data, headers)
        except Exception as error:  # noqa: BLE001  one peer's message must not end the connection of all
            _log.warning("nats.message_unreadable", error=type(error).__name__)
            return None
        return None if waiting is None else self._patiently(waiting)

    @override
    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # nats-py takes the names from its JetStream, which is loaded for that; see
        # `bootstrap.importing`. A process that starts alone gets this answer from the server.
        if headers.startswith(NO_RESPONDERS_START):
            return {STATUS: NO_RESPONDERS}
        return await super()._process_headers(headers)

    async def _patiently(self, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Exception as error:  # noqa: BLE001  as in `deliver`
            _log.warning("nats.message_unreadable", error=type(error).__name__)
