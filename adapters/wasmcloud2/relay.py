"""Between the operator and the hosts of wasmCloud 2: fills references in, and passes the rest on.

The operator is in one NATS account, the hosts are in another, and the relay is in both. Only a
request that starts a workload is read; every other message goes on in the connection's read loop
with its bytes and headers as they are.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.wasmcloud2.answers import Answers
from adapters.wasmcloud2.filling import HeldWorkloads, Running
from adapters.wasmcloud2.message import (
    HEARTBEATS,
    MAX_BRACKETS,
    REQUESTS,
    START,
    STOP,
    Message,
    RelayFigures,
    read_subject,
)
from adapters.wasmcloud2.side import NO_RESPONDERS, Requests, TooManyPendingError
from adapters.wasmcloud2.start_request import mentions_in, workload_id_of
from adapters.wasmcloud2.starts import Starts
from domain.model.strict_json import MalformedJsonError, parse_json
from ports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.wasmcloud2.filling import Filling, Given
    from adapters.wasmcloud2.side import RawClient
    from ports.clock import Clock
    from ports.transport import RequestHandler

QUEUE_GROUP: Final = "wasmcloud-secrets-relay"
"""Every replica joins it on both sides."""

_POLL_SECONDS: Final = 0.05

_log = structlog.get_logger()


@final
class Relay(Transport):
    """One replica.

    Args:
        operator: the connection in the operator's account.
        hosts: the connection in the hosts' account.
        max_starts: starts with references under way; further ones are refused.

    Attributes:
        held: what runs with secrets of this replica.
        to_hosts: the requests that wait for a host's answer.
    """

    def __init__(
        self,
        operator: RawClient,
        hosts: RawClient,
        filling: Filling,
        clock: Clock,
        *,
        max_starts: int,
    ) -> None:
        self._operator = operator
        self._hosts = hosts
        self._clock = clock
        self.held = HeldWorkloads()
        self.figures = RelayFigures()
        self.to_hosts = Requests(hosts, clock)
        self._to_operator = Requests(operator, clock)
        self._answers = Answers(operator, self.held)
        self._starts = Starts(
            filling,
            self._answers,
            self._forward,
            room=lambda: hosts.max_payload,
            figures=self.figures,
            clock=clock,
            max_starts=max_starts,
        )
        self._sids: list[tuple[RawClient, int]] = []

    @property
    def in_flight(self) -> int:
        """How many messages wait for an answer, or for secrets."""
        return len(self._starts) + len(self.to_hosts)

    @override
    async def start(self, handler: RequestHandler) -> None:
        """Begin to pass messages on; no host asks here for a secret, so `handler` takes nothing.

        Raises:
            nats.errors.Error, OSError: a connection was lost meanwhile.
        """
        await self.to_hosts.open()
        await self._to_operator.open()
        for client, subject, queue, sink in (
            (self._hosts, HEARTBEATS, QUEUE_GROUP, self._to_the_operator),
            # Every replica hears of every start and stop, whichever passes it on.
            (self._operator, f"runtime.host.*.{START}", "", self._heard_start),
            (self._operator, f"runtime.host.*.{STOP}", "", self._heard_stop),
            (self._operator, REQUESTS, QUEUE_GROUP, self._to_a_host),
        ):
            self._sids.append((client, await client.subscribe_raw(subject, queue, sink)))
        await self._hosts.flush()
        await self._operator.flush()

    @override
    async def stop(self, grace_seconds: float) -> None:
        deadline = self._clock.monotonic() + grace_seconds
        sids, self._sids = self._sids, []
        for client, sid in sids:
            # A connection that is gone has no subscription that could go on.
            with suppress(Exception):
                async with self._clock.timeout_at(deadline):
                    await client.unsubscribe_raw(sid)
        await self._starts.finish(deadline)
        with suppress(TimeoutError):
            async with self._clock.timeout_at(deadline):
                while len(self.to_hosts):
                    await self._clock.sleep(_POLL_SECONDS)
        with suppress(Exception):
            async with self._clock.timeout_at(self._clock.monotonic() + 1.0):
                await self._operator.flush()

    def _heard_start(
        self, subject: bytes, _reply_to: bytes, body: bytes, _headers: bytes | None
    ) -> None:
        running = Running(read_subject(subject).host, workload_id_of(body))
        given = self.held.find(running)
        if given is None:
            return
        with suppress(MalformedJsonError):
            if parse_json(body, max_brackets=MAX_BRACKETS) == given.start.document:
                # The host refuses it while this one runs, and otherwise runs the same again.
                return
        self.held.forget(running)

    def _heard_stop(
        self, subject: bytes, _reply_to: bytes, body: bytes, _headers: bytes | None
    ) -> None:
        self.held.forget(Running(read_subject(subject).host, workload_id_of(body)))

    def _to_the_operator(
        self, subject: bytes, reply_to: bytes, body: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        self.figures.forwarded += 1
        reply_to = _answerable(reply_to)
        try:
            if not reply_to:
                return self._operator.publish_raw(subject, body, headers or b"")
            return self._to_operator.send(
                subject,
                body,
                headers,
                lambda data, block: self._hosts.publish_raw(reply_to, data, block or b""),
            )
        except Exception as error:  # noqa: BLE001  the next heartbeat's turn must come
            self._unsent("operator", error)
            return None

    def _to_a_host(
        self, subject: bytes, reply_to: bytes, body: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        message = Message(subject, _answerable(reply_to), body, headers)
        if message.to.what == START:
            return self._starts.begin(message)
        if mentions_in(body):
            self.figures.refused += 1
            return self._answers.refuse(
                message.reply_to,
                workload_id_of(body),
                "a reference to a secret stands where none is filled in; only the request that "
                "starts a workload may have one.",
            )
        return self._forward(message, body, None)

    def _forward(
        self, message: Message, body: bytes, given: Given | None
    ) -> Awaitable[None] | None:
        """Pass a request on, and its answer back; at once 503 where no host can hear it."""
        if not self._hosts.is_connected:
            # Kept for the reconnect, a host would get it long after the operator has given up.
            return self._none_listens(message)
        self.figures.forwarded += 1
        to = message.to
        try:
            if not message.reply_to:
                return self._hosts.publish_raw(message.subject, body, message.headers or b"")
            return self.to_hosts.send(
                message.subject,
                body,
                message.headers,
                lambda data, block: self._answers.give(message.reply_to, to, data, block, given),
            )
        except TooManyPendingError:
            return self._none_listens(message)
        except Exception as error:  # noqa: BLE001  the operator must hear of it, whatever it was
            self._unsent("hosts", error)
            return self._none_listens(message)

    def _none_listens(self, message: Message) -> Awaitable[None] | None:
        self.figures.unsent += 1
        if not message.reply_to:
            return None
        return self._operator.publish_raw(message.reply_to, b"", NO_RESPONDERS)

    def _unsent(self, side: str, error: Exception) -> None:
        self.figures.unsent += 1
        _log.warning("relay.message_unsent", side=side, error=type(error).__name__)


def _answerable(reply_to: bytes) -> bytes:
    """Return where an answer may go; empty where the control API itself, or a server, listens.

    An answer there would be a request of the relay's, or come back to it for ever.
    """
    return b"" if reply_to.startswith((b"runtime.", b"$")) else reply_to
