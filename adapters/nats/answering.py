"""One request to the core, and its one reply to the host that waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from nats.errors import MaxPayloadError

from adapters.crypto.nkeys_text import PUBLIC_LENGTH
from adapters.nats.headers import response_block
from adapters.nats.peers import Shares, peer_of
from domain.model.transport import Operation, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.nats.client import ResilientClient
    from domain.model.transport import Request
    from ports.transport import RequestHandler

HEADER_BYTES: Final = len(response_block("X" * PUBLIC_LENGTH))
"""The server counts the header block towards its `max_payload`."""

PLACE_BYTES: Final = 4096
"""What a request may have for each of the places in which requests wait. Usual ones have half."""

_OPEN_PART: Final = 0.875
"""More than the three quarters that may wait for the store: while it hangs, the cache shares those
out among its folders, and what is left over carries answers from memory, of a lone peer as well."""

_log = structlog.get_logger()


class Answering:
    """Answers what can be answered at once, and keeps a task for each request that has to wait.

    A request's body is dropped before the wait. What the core keeps of it grows with the body, so a
    long one takes more than one place. `max_in_flight`: places for requests that wait. Once seven
    eighths are taken, no peer may hold more of them than are left.

    Attributes:
        handler: the core; to be set before the first request.
        running: a task for each request that waits.
    """

    handler: RequestHandler

    def __init__(self, client: ResilientClient, max_in_flight: int) -> None:
        self._client = client
        self._places = Shares(max_in_flight, _OPEN_PART)
        self.running: set[asyncio.Task[None]] = set()

    def begin(
        self, request: Request, reply_to: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        """Answer one request, or begin to; what is returned is to be awaited before the next."""
        places = self._places
        if not places.are_open() and not self._may_wait(request, reply_to, headers):
            return self.refuse(request, reply_to, "overloaded")
        try:
            begun = self.handler.begin(request)
        except Exception as error:  # noqa: BLE001  whatever the core did, a host waits for an answer
            return self._fail(request, reply_to, error)
        if isinstance(begun, Reply):
            return self._answer(request, reply_to, begun)
        peer, taken = peer_of(reply_to, headers), _places_of(request)
        places.take(peer, taken)
        waiting = request._replace(body=b"", host_xkey=None)
        task = asyncio.create_task(self._serve(begun, waiting, reply_to))
        self.running.add(task)
        task.add_done_callback(lambda done: self._done(done, peer, taken))
        return None

    def refuse(self, request: Request, reply_to: bytes, reason: str) -> Awaitable[None] | None:
        """Answer one request with a refusal."""
        try:
            reply = self.handler.refuse(request, reason)
        except Exception as error:  # noqa: BLE001  as in `begin`; nothing is left to answer with
            _log.error("nats.refusal_failed", error=type(error).__name__)
            return None
        return self._send(reply_to, reply)

    def _may_wait(self, request: Request, reply_to: bytes, headers: bytes | None) -> bool:
        # Hosts get the server's xkey however many requests wait for a store: it waits for nothing.
        return request.operation == Operation.SERVER_XKEY or self._places.has_room(
            peer_of(reply_to, headers), _places_of(request)
        )

    def _done(self, task: asyncio.Task[None], peer: bytes, places: int) -> None:
        self.running.discard(task)
        self._places.give_back(peer, places)

    async def _serve(self, begun: Awaitable[Reply], request: Request, reply_to: bytes) -> None:
        try:
            reply = await begun
        except asyncio.CancelledError:
            sent = self.refuse(request, reply_to, "stopping")
        except Exception as error:  # noqa: BLE001  as in `begin`
            sent = self._fail(request, reply_to, error)
        else:
            sent = self._answer(request, reply_to, reply)
        if sent is not None:
            await sent

    def _answer(self, request: Request, reply_to: bytes, reply: Reply) -> Awaitable[None] | None:
        body, xkey = reply
        block = b"" if xkey is None else response_block(xkey)
        try:
            return self._client.publish_raw(reply_to, body, block)
        except MaxPayloadError:
            # Another server, or this one since its restart, takes less than at the request's start.
            _log.error("nats.reply_too_large", size=len(body))
            return self.refuse(request, reply_to, "reply_not_carried")
        except Exception as error:  # noqa: BLE001  as in `_send`
            _note_not_sent(error)
            return None

    def _fail(self, request: Request, reply_to: bytes, error: Exception) -> Awaitable[None] | None:
        _log.error("nats.handler_failed", error=type(error).__name__)
        return self.refuse(request, reply_to, "overloaded")

    def _send(self, reply_to: bytes, reply: Reply) -> Awaitable[None] | None:
        try:
            return self._client.publish_raw(reply_to, reply.body)
        except Exception as error:  # noqa: BLE001  requests after this one must be answered
            _note_not_sent(error)
            return None


def _note_not_sent(error: Exception) -> None:
    _log.warning("nats.reply_failed", error=type(error).__name__)


def _places_of(request: Request) -> int:
    return 1 + len(request.body) // PLACE_BYTES
