"""One NATS connection of the relay, and the requests that it carries there."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ports.clock import Clock

    Sink = Callable[[bytes, bytes, bytes, bytes | None], Awaitable[None] | None]
    Take = Callable[[bytes, bytes | None], Awaitable[None] | None]

NO_RESPONDERS: Final = b"NATS/1.0 503\r\n\r\n"
"""The header block by which a server says that none listens; clients give up at once on it."""

MAX_PENDING: Final = 8192
"""Requests without an answer yet; further ones are refused at once."""

KEPT_SECONDS: Final = 120.0
"""Time for which an answer is passed on. The operator waits for 60 seconds (host_client.go)."""


class RawClient(Protocol):
    """As `adapters.nats.client.ResilientClient` has it."""

    @property
    def is_connected(self) -> bool: ...

    @property
    def is_closed(self) -> bool: ...

    @property
    def max_payload(self) -> int: ...

    async def subscribe_raw(self, subject: str, queue: str, sink: Sink) -> int: ...

    async def unsubscribe_raw(self, sid: int) -> None: ...

    async def subscribe_again(self) -> frozenset[str]: ...

    @property
    def refused(self) -> frozenset[str]: ...

    def publish_raw(
        self, subject: bytes, body: bytes, header_block: bytes = b"", reply_to: bytes = b""
    ) -> Coroutine[Any, Any, None] | None: ...

    async def flush(self) -> None: ...


class TooManyPendingError(Exception):
    """As many requests as may wait for an answer do."""


class _Pending(NamedTuple):
    until: float
    take: Take


class Requests:
    """Sends requests on one side and hands over each one's answer. `client`: that side's
    connection.
    """

    def __init__(self, client: RawClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        # One peer must not be able to answer in the name of another, so each inbox is a guess.
        self._inbox = f"_INBOX.{secrets.token_hex(12)}.".encode()
        self._pending: OrderedDict[bytes, _Pending] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    async def open(self) -> None:
        """Listen for answers."""
        await self._client.subscribe_raw(f"{self._inbox.decode()}*", "", self._answered)

    def send(
        self, subject: bytes, body: bytes, headers: bytes | None, take: Take
    ) -> Awaitable[None] | None:
        """Send a request whose answer, headers included, goes to `take`. Returns None, or what to
        await before more is sent.

        Raises:
            TooManyPendingError: too many requests wait already.
            nats.errors.Error: it could not be sent.
        """
        now = self._clock.monotonic()
        self._expire(now)
        if len(self._pending) >= MAX_PENDING:
            raise TooManyPendingError
        token = secrets.token_hex(8).encode()
        self._pending[token] = _Pending(now + KEPT_SECONDS, take)
        try:
            return self._client.publish_raw(subject, body, headers or b"", self._inbox + token)
        except BaseException:
            del self._pending[token]
            raise

    async def ask(self, subject: bytes, body: bytes, seconds: float) -> bytes | None:
        """Send a request and return its answer; None if no host listens there or time ran out."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

        def take(data: bytes, headers: bytes | None) -> None:
            if not answer.done():
                none_listens = not data and (headers or b"").startswith(b"NATS/1.0 503")
                answer.set_result(None if none_listens else data)

        sent = self.send(subject, body, None, take)
        if sent is not None:
            await sent
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + seconds):
                return await answer
        except TimeoutError:
            return None

    def _answered(
        self, subject: bytes, _reply_to: bytes, body: bytes, headers: bytes | None
    ) -> Awaitable[None] | None:
        pending = self._pending.pop(subject.removeprefix(self._inbox), None)
        return None if pending is None else pending.take(body, headers)

    def _expire(self, now: float) -> None:
        while self._pending and next(iter(self._pending.values())).until <= now:
            self._pending.popitem(last=False)
