"""As much of a NATS connection as orders need, with a server that is there or away."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from nats.errors import ConnectionClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client


@dataclass(frozen=True)
class Message:
    """As a subscription's callback gets it."""

    subject: str
    data: bytes
    reply: str = ""
    headers: dict[str, str] | None = None


class _Subscription:
    def __init__(self, connection: NatsInMemory, subject: str) -> None:
        self._connection, self._subject = connection, subject

    async def unsubscribe(self) -> None:
        del self._connection.sinks[self._subject]
        if self._connection.away:
            raise ConnectionClosedError


class NatsInMemory:
    """Delivers to its own subscriptions, each subject having one at most.

    Attributes:
        away: every send fails.
        stuck: no flush ever returns.
        published: all that was sent, in order.
    """

    def __init__(self) -> None:
        self.away = False
        self.stuck = False
        self.published: list[Message] = []
        self.sinks: dict[str, Callable[[Message], Awaitable[None]]] = {}
        self._inboxes = itertools.count()

    @property
    def client(self) -> Client:
        return cast("Client", self)

    @property
    def is_connected(self) -> bool:
        return not self.away

    def new_inbox(self) -> str:
        return f"_INBOX.{next(self._inboxes)}"

    async def subscribe(
        self, subject: str, *, cb: Callable[[Message], Awaitable[None]]
    ) -> _Subscription:
        self.sinks[subject] = cb
        return _Subscription(self, subject)

    async def publish(
        self,
        subject: str,
        payload: bytes,
        reply: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        if self.away:
            raise ConnectionClosedError
        await self.deliver(Message(subject, payload, reply, headers))

    async def deliver(self, message: Message) -> None:
        self.published.append(message)
        sink = self.sinks.get(message.subject)
        if sink is not None:
            await sink(message)

    async def flush(self) -> None:
        if self.stuck:
            await asyncio.Event().wait()

    def sent_to(self, subject: str) -> list[bytes]:
        return [message.data for message in self.published if message.subject == subject]
