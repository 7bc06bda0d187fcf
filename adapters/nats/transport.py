"""Requests from NATS subjects to the core, and the replies back.

What the core answers at once is answered in the connection's read loop, as far as that does not
keep it from reading; what has to wait gets a task of its own.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from nats import errors
from typing_extensions import override

from adapters.nats.answering import HEADER_BYTES, Answering
from adapters.nats.backlog import MAX_BYTES
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.headers import read_host_xkey, read_requester
from adapters.nats.intake import Intake
from adapters.nats.raw_messages import SELF_CHECK, SELF_CHECKS_A_SECOND
from adapters.nats.subjects import ReplySubjects
from domain.model.transport import Operation, Request
from ports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.nats.client import ResilientClient
    from adapters.nats.subjects import SecretsSubjects
    from ports.clock import Clock
    from ports.transport import RequestHandler

_log = structlog.get_logger()

_GET = str(Operation.GET)
_SELF_CHECK = f"\r\n{SELF_CHECK}:".encode()
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
        max_body_bytes: what the core refuses unopened if it is longer.
        patience_seconds: how long a request may be queued before it is refused as "overloaded".
        max_backlog_bytes: how many bytes of requests may be queued; no peer takes more of them than
            it leaves.
        vouches_for_requesters: pass on the account that the server names in `Nats-Request-Info`.
            Only for a service alone in its NATS account: a client of the same account can forge it.
    """

    def __init__(
        self,
        client: ResilientClient,
        subjects: SecretsSubjects,
        clock: Clock,
        *,
        max_in_flight: int = 8192,
        own_inbox: str | None = None,
        max_body_bytes: int = 16384,
        patience_seconds: float = 8.0,
        max_backlog_bytes: int = MAX_BYTES,
        vouches_for_requesters: bool = False,
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._clock = clock
        self._own_question = subjects.of(Operation.SERVER_XKEY).encode()
        self._usual_subject = subjects.of(Operation.GET).encode()
        self._vouches = vouches_for_requesters
        self._base_length = len(subjects.base.encode())
        self._replies = ReplySubjects(subjects.prefix, [own_inbox])
        self._answering = Answering(client, max_in_flight)
        self._running = self._answering.running
        self._intake = Intake(
            client,
            self._answering,
            clock,
            max_body_bytes=max_body_bytes,
            patience_seconds=patience_seconds,
            max_backlog_bytes=max_backlog_bytes,
        )
        self._sids: list[int] = []
        self._self_checks = (0, 0)
        self._unanswerable = 0

    @property
    def in_flight(self) -> int:
        """How many requests are being served now."""
        return len(self._running)

    @property
    def dropped(self) -> int:
        """How many requests were left unanswered: no reply could go to them, or too many came."""
        return self._unanswerable + self._intake.dropped

    @property
    def is_flooded(self) -> bool:
        """As `Intake.is_flooded`."""
        return self._intake.is_flooded

    def why_hung_up_on(self) -> str | None:
        """As `Intake.why_hung_up_on`."""
        return self._intake.why_hung_up_on()

    @property
    def is_listening(self) -> bool:
        """Whether it has joined the queue group and not left it."""
        return bool(self._sids)

    @property
    def handler(self) -> RequestHandler:
        """The core, once started."""
        return self._answering.handler

    async def pause(self) -> None:
        """Have the server send no more until the next reconnect; what it has sent is taken in.

        Raises:
            nats.errors.Error, OSError: the server did not get it.
        """
        for sid in self._sids:
            await self._client.pause(sid)

    @override
    async def start(self, handler: RequestHandler) -> None:
        """Join the queue group; on return the server knows.

        Raises:
            NatsConnectError: the server does not let this user listen there, or is gone.
        """
        self._answering.handler = handler
        client, subject = self._client, self._subjects.every_operation
        client.denied = None
        lost: Exception | None = None
        try:
            # One of a group gets each request. A denial of the second filters the first in silence.
            for each in (subject, self._subjects.of(Operation.GET)):
                sid = await client.subscribe_raw(each, self._subjects.queue_group, self._take)
                self._sids.append(sid)
            await client.flush()
        except (errors.Error, OSError) as error:
            lost = error
        denied = client.denied is not None and self._subjects.base in client.denied
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
        sids, self._sids = self._sids, []
        if not sids:
            return
        deadline = self._clock.monotonic() + grace_seconds
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _FLUSH_SECONDS):
                for sid in sids:
                    await self._client.unsubscribe_raw(sid)
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("nats.unsubscribe_failed", error=type(error).__name__)
        await self._wait_until(deadline)
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + _CANCEL_SECONDS):
                await self._intake.refuse_all("stopping")
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
                while under_way := {*self._running, *self._intake.workers}:
                    await asyncio.wait(under_way)
        except TimeoutError:
            pass

    def _take(
        self, subject: bytes, reply_to: bytes, body: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        """Take one message in; whatever is returned is awaited before the next."""
        if not self._replies.may_be(reply_to):
            self._unanswerable += 1
            _log.debug("nats.request_dropped", reason="no_usable_reply_subject")
            return None
        if subject == self._usual_subject:
            operation = _GET
        else:
            is_question = subject == self._own_question
            is_check = is_question and headers is not None and _SELF_CHECK in headers
            if is_check and self._admits_self_check():
                return self._client.publish_raw(reply_to, b"+")
            operation = subject[self._base_length :].decode("utf-8", "replace")
        request = Request(
            operation,
            body,
            read_host_xkey(headers),
            self._clock.monotonic(),
            self._client.max_payload - HEADER_BYTES,
            read_requester(headers) if self._vouches else None,
        )
        return self._intake.take(request, reply_to, headers)

    def _admits_self_check(self) -> bool:
        second = int(self._clock.monotonic())
        checks = self._self_checks[1] + 1 if self._self_checks[0] == second else 1
        self._self_checks = second, checks
        return checks <= SELF_CHECKS_A_SECOND
