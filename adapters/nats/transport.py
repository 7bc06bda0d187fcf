"""Requests from NATS subjects to the core, and the replies back.

What the core answers at once is answered in the connection's read loop; whatever has to wait gets a
task of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from nats import errors
from typing_extensions import override

from adapters.crypto.nkeys_text import PUBLIC_LENGTH
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.headers import read_host_xkey, read_requester, response_block
from adapters.nats.subjects import SecretsSubjects
from domain.model.transport import Operation, Reply, Request
from ports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.nats.client import SteadyClient
    from ports.clock import Clock
    from ports.transport import RequestHandler

_log = structlog.get_logger()

_HEADER_BYTES: Final = len(response_block("X" * PUBLIC_LENGTH))
"""The server counts the header block towards its `max_payload`."""

_LONGEST_REPLY_SUBJECT = 1024
"""Longer ones could push the reply's control line over what the server takes, and it hangs up."""

_FLUSH_SECONDS = 2.0
_CANCEL_SECONDS = 2.0


class NatsTransport(Transport):
    """One replica's place in the queue group. It uses the client's connection, never closes it.

    Args:
        client: connected by the time `start` is called.
        subjects: where to listen.
        max_in_flight: requests that may wait at once, as for a store; while as many do, all others
            are refused as "overloaded" right away, but for those for the server xkey.
        own_inbox: what the service's inboxes begin with; no request is answered there.
        vouches_for_requesters: pass on the account that the server names in `Nats-Request-Info`.
            Only for a service alone in its NATS account: whoever shares the account can forge it.
    """

    def __init__(
        self,
        client: SteadyClient,
        subjects: SecretsSubjects,
        clock: Clock,
        *,
        max_in_flight: int = 8192,
        own_inbox: str | None = None,
        vouches_for_requesters: bool = False,
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._vouches = vouches_for_requesters
        self._base_length = len(subjects.base.encode())
        # Where requests go, and by default the audit events, under whatever prefix they are here.
        prefixes = {subjects.prefix, SecretsSubjects().prefix}
        if own_inbox is not None:
            prefixes.add(own_inbox)
        self._never_answered = (b"$", *(f"{prefix}.".encode() for prefix in sorted(prefixes)))
        self._running: set[asyncio.Task[None]] = set()
        self._handler: RequestHandler  # from `start`, which lets the first request in
        self._sid: int | None = None
        self.dropped = 0

    @property
    def in_flight(self) -> int:
        """How many requests are being served now."""
        return len(self._running)

    @override
    async def start(self, handler: RequestHandler) -> None:
        """Join the queue group; on return the server knows.

        Raises:
            NatsConnectError: the server does not let this user listen there, or is gone.
        """
        self._handler = handler
        client, subject = self._client, self._subjects.every_operation
        client.denied = None
        lost: Exception | None = None
        try:
            self._sid = await client.listen(subject, self._subjects.queue_group, self._take)
            await client.flush()
        except (errors.Error, OSError) as error:
            lost = error
        denied = client.denied is not None and subject in client.denied
        if denied or lost is not None:
            await self.stop(0)
            raise NatsConnectError(
                f"Failed to listen on NATS at {subject} in queue group "
                f"{self._subjects.queue_group}: "
                + (
                    "this user has no permission to subscribe there. Grant it on the server."
                    if denied
                    else "the connection was lost. Check that nats-server keeps running."
                ),
                reason="denied" if denied else "lost",
            )
        _log.info("nats.listening", subject=subject, queue_group=self._subjects.queue_group)

    @override
    async def stop(self, grace_seconds: float) -> None:
        sid, self._sid = self._sid, None
        if sid is None:
            return
        deadline = self._clock.monotonic() + grace_seconds
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _FLUSH_SECONDS):
                await self._client.deafen(sid)
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("nats.unsubscribe_failed", error=type(error).__name__)
        await self._wait_until(deadline)
        if self._running:
            # A task cancelled before its first step could not even refuse.
            await asyncio.sleep(0)
            _log.warning("nats.requests_cancelled", count=len(self._running))
            for task in self._running:
                task.cancel()
            await self._wait_until(self._clock.monotonic() + _CANCEL_SECONDS)
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _FLUSH_SECONDS):
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("nats.flush_failed", error=type(error).__name__)
        _log.info("nats.stopped_listening", dropped=self.dropped)

    async def _wait_until(self, deadline: float) -> None:
        try:
            async with self._clock.timeout_at(deadline):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            pass

    def _take(
        self, subject: bytes, reply_to: bytes, body: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        """Answer one message, or begin to; whatever is returned is awaited before the next."""
        if not _may_be_answered(reply_to, self._never_answered):
            self.dropped += 1
            _log.debug("nats.request_dropped", reason="no_usable_reply_subject")
            return None
        request = Request(
            subject[self._base_length :].decode("utf-8", "replace"),
            body,
            read_host_xkey(headers),
            self._clock.monotonic(),
            self._client.max_payload - _HEADER_BYTES,
            read_requester(headers) if self._vouches else None,
        )
        # Hosts get the server's xkey however many requests wait for a store: it waits for nothing.
        if len(self._running) >= self._max_in_flight and request.operation != Operation.SERVER_XKEY:
            return self._refuse(request, reply_to, "overloaded")
        try:
            begun = self._handler.begin(request)
        except Exception as error:  # noqa: BLE001  whatever the core did, somebody waits for an answer
            return self._fail(request, reply_to, error)
        if isinstance(begun, Reply):
            return self._answer(request, reply_to, begun)
        task = asyncio.create_task(self._serve(begun, request, reply_to))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return None

    async def _serve(self, begun: Awaitable[Reply], request: Request, reply_to: bytes) -> None:
        try:
            reply = await begun
        except asyncio.CancelledError:
            sent = self._refuse(request, reply_to, "stopping")
        except Exception as error:  # noqa: BLE001  as in _take
            sent = self._fail(request, reply_to, error)
        else:
            sent = self._answer(request, reply_to, reply)
        if sent is not None:
            await sent

    def _answer(self, request: Request, reply_to: bytes, reply: Reply) -> Awaitable[None] | None:
        # Asked for anew: another server, or this one since its restart, may take less.
        if len(reply.body) > self._client.max_payload - _HEADER_BYTES:
            # The server would end the connection over it, and with it every other request.
            _log.error("nats.reply_too_large", size=len(reply.body))
            return self._refuse(request, reply_to, "overloaded")
        return self._send(reply_to, reply)

    def _fail(self, request: Request, reply_to: bytes, error: Exception) -> Awaitable[None] | None:
        _log.error("nats.handler_failed", error=type(error).__name__)
        return self._refuse(request, reply_to, "overloaded")

    def _refuse(self, request: Request, reply_to: bytes, reason: str) -> Awaitable[None] | None:
        try:
            reply = self._handler.refuse(request, reason)
        except Exception as error:  # noqa: BLE001  as in _take; nothing is left to answer with
            _log.error("nats.refusal_failed", error=type(error).__name__)
            return None
        return self._send(reply_to, reply)

    def _send(self, reply_to: bytes, reply: Reply) -> Awaitable[None] | None:
        block = b"" if reply.response_xkey is None else response_block(reply.response_xkey)
        try:
            return self._client.post(reply_to, reply.body, block)
        except Exception as error:  # noqa: BLE001  the next request's turn must come, whatever posting met
            _log.warning("nats.reply_failed", error=type(error).__name__)
            return None


def _may_be_answered(reply_to: bytes, never: tuple[bytes, ...]) -> bool:
    """Say whether an answer may go to that subject.

    Names beginning with "$" are the server's own: a peer could otherwise have this service write
    into streams and buckets with the service's permissions. Those of the secrets protocol would
    carry an answer to this service itself, to another backend, or among the audit events; those of
    the service's inboxes an answer that it would take for one of JetStream's.
    """
    if not reply_to or len(reply_to) > _LONGEST_REPLY_SUBJECT or reply_to.startswith(never):
        return False
    return reply_to.isascii() or _is_text(reply_to)


def _is_text(subject: bytes) -> bool:
    try:
        subject.decode()
    except UnicodeDecodeError:
        return False
    return True
