"""Requests as they are read: answered at once, queued, refused or dropped.

A server drops a client that does not read, and with it all requests. So what arrives is
answered in the read loop only while that takes a few milliseconds for each read. Beyond that,
requests are queued, each peer's apart, and answered between reads. Where a peer's share of the room
is used up, its requests are refused, and dropped if they come too fast for that as well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from adapters.nats.backlog import Backlog, Waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adapters.nats.answering import Answering
    from adapters.nats.raw_messages import RawMessageClient
    from domain.model.transport import Request
    from ports.clock import Clock

READ_SECONDS: Final = 0.02
"""For answers to what one read brought. A usual load needs less, and so is never queued."""

TURN_SECONDS: Final = 0.005
FLOOD_TURN_SECONDS: Final = 0.001
STORE_TURN_SECONDS: Final = 0.0005
"""For answers out of the backlog in one round of the event loop: usually, where much has arrived
meanwhile, and while requests wait for the store. From the store's answer to the next call are
several rounds, so that a longer turn keeps a connection idle for several times as long."""

_MUCH_BYTES: Final = 64 * 1024
_ROUNDS_OF_A_READ: Final = 3
_READS_A_TURN: Final = 8
_REFUSALS_A_READ: Final = 50
_SECONDS_BETWEEN_LOGS: Final = 5.0

FLOOD_BYTES: Final = 4 * 1024 * 1024
"""In one second, some 2,000 usual requests. nats-server gives up a client that leaves 64 MiB
unread, of which little may have been read before."""


_RECENT_SECONDS: Final = 6.0
"""A process that gets too little of the processor learns late that the server hung up."""

_log = structlog.get_logger()


class Intake:
    """Paces the answers so that reading never waits for long.

    Args:
        max_body_bytes: longer bodies are refused by the core at once, and so never queued.
        patience_seconds: a request that was queued for longer is refused unopened.

    Attributes:
        dropped: requests left without an answer.
    """

    def __init__(
        self,
        client: RawMessageClient,
        answering: Answering,
        clock: Clock,
        *,
        max_body_bytes: int,
        patience_seconds: float,
        max_backlog_bytes: int,
    ) -> None:
        self._client = client
        self._answering = answering
        self._clock = clock
        self._max_body = max_body_bytes
        self._patience = patience_seconds
        self._backlog = Backlog(max_backlog_bytes)
        self._worker: asyncio.Task[None] | None = None
        self._read = -1
        self._read_until = 0.0
        self._arrived_bytes = 0
        self._second, self._in_second = 0, 0
        self._busiest, self._in_busiest = 0, 0
        self._refused = 0
        self._next_log = 0.0
        self.dropped = 0

    @property
    def workers(self) -> tuple[asyncio.Task[None], ...]:
        """The task that answers what is queued, if anything is."""
        return () if self._worker is None else (self._worker,)

    def take(
        self, request: Request, reply_to: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        """Take one request in; what is returned is to be awaited before the next."""
        now = request.received_at
        self._count(now, len(request.body) + len(headers or b""))
        if self._read != self._client.reads:
            self._read, self._read_until = self._client.reads, now + READ_SECONDS
            self._refused = 0
        if (not self._backlog and now < self._read_until) or len(request.body) > self._max_body:
            return self._answering.begin(request, reply_to, headers)
        waiting = Waiting(request, reply_to, headers)
        self._arrived_bytes += waiting.size
        if not self._backlog.put(waiting):
            return self._shed(waiting)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work_off())
        return None

    @property
    def bytes_a_second(self) -> int:
        """The most that arrived in one second, shortly before now, whatever became of it."""
        is_recent = self._clock.monotonic() < self._busiest + _RECENT_SECONDS
        return self._in_busiest if is_recent else 0

    @property
    def is_flooded(self) -> bool:
        """Whether more arrived in a second, shortly before now, than hosts ever send."""
        return self.bytes_a_second >= FLOOD_BYTES

    def why_hung_up_on(self) -> str | None:
        """Return what may have made the server end the connection, as advice; None if nothing."""
        if not self.is_flooded:
            return None
        arrived = self.bytes_a_second // 1024 // 1024
        return (
            f"{arrived} MiB of requests were read within a second shortly before. "
            "If nats-server's log names a slow consumer, more came than this process reads in the "
            "processor time it gets, and those on their way are lost: limit max_payload and "
            "max_connections of the account that sends them, or add replicas."
        )

    def _count(self, now: float, size: int) -> None:
        second = int(now)
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += size
        # The little that is read after a flood, just before the server hangs up, must not hide it.
        if self._in_second >= self._in_busiest or second >= self._busiest + _RECENT_SECONDS:
            self._busiest, self._in_busiest = second, self._in_second

    async def refuse_all(self, reason: str) -> None:
        """Refuse whatever is still queued."""
        while self._backlog:
            waiting = self._backlog.take()
            sent = self._answering.refuse(waiting.request, waiting.reply_to, reason)
            if sent is not None:
                await sent

    def _shed(self, waiting: Waiting) -> Awaitable[None] | None:
        self._refused += 1
        dropped = self._refused > _REFUSALS_A_READ
        self.dropped += dropped
        if waiting.request.received_at >= self._next_log:
            self._next_log = waiting.request.received_at + _SECONDS_BETWEEN_LOGS
            _log.warning("nats.overloaded", queued=len(self._backlog), dropped=self.dropped)
        if dropped:
            return None
        return self._answering.refuse(waiting.request, waiting.reply_to, "overloaded")

    async def _work_off(self) -> None:
        try:
            while self._backlog:
                now = self._clock.monotonic()
                is_flood = self._arrived_bytes >= _MUCH_BYTES
                end = now + self._turn(is_flood=is_flood)
                self._arrived_bytes = 0
                while self._backlog and now < end:
                    sent = self._next(now)
                    if sent is not None:
                        await sent
                    now = self._clock.monotonic()
                await (self._let_read() if is_flood else asyncio.sleep(0))
        finally:
            self._worker = None

    def _turn(self, *, is_flood: bool) -> float:
        if self._answering.running:
            return STORE_TURN_SECONDS
        return FLOOD_TURN_SECONDS if is_flood else TURN_SECONDS

    async def _let_read(self) -> None:
        """Leave the loop to the reader while it finds something, for some reads at most."""
        for _ in range(_READS_A_TURN):
            before = self._client.reads
            # Bytes arrive in one round of the loop, and wake their reader in the next.
            for _ in range(_ROUNDS_OF_A_READ):
                await asyncio.sleep(0)
            if self._client.reads == before:
                return

    def _next(self, now: float) -> Awaitable[None] | None:
        request, reply_to, headers = self._backlog.take()
        if now - request.received_at > self._patience:
            return self._answering.refuse(request, reply_to, "overloaded")
        return self._answering.begin(request, reply_to, headers)
