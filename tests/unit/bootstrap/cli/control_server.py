"""A NATS server in memory whose replicas answer orders, and how one does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.change_notice.messages import ReplicaAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


CONTROL = "wasmcloud.secrets.control.infisical.flush"
CHANGED = "wasmcloud.secrets.events.infisical.changed"


@dataclass
class Message:
    data: bytes
    headers: dict[str, str] | None = None


class Subscription:
    async def unsubscribe(self) -> None:
        """Nothing is held."""


@dataclass
class FakeServer:
    """A connection whose server answers every order at once.

    Attributes:
        replies: what comes back.
        forbidden: subjects this user may not publish to.
        published: subject and document of each message taken.
    """

    replies: list[Message] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    away: bool = False
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    denied: str | None = None
    is_connected: bool = True
    _take: Callable[[Any], Awaitable[None]] | None = None

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, _: str, *, cb: Callable[[Any], Awaitable[None]]) -> Subscription:
        self._take = cb
        return Subscription()

    async def publish(
        self, subject: str, payload: bytes, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        if self.away:
            raise OSError
        if subject in self.forbidden:
            self.denied = f'permissions violation for publish to "{subject}"'
            return
        self.published.append((subject, json.loads(payload)))
        if reply and self._take:
            for message in self.replies:
                await self._take(message)

    async def flush(self) -> None:
        await asyncio.sleep(0)


NO_RESPONDERS = Message(b"", {"Status": "503"})


def answer(replica: str, removed: int) -> Message:
    return Message(ReplicaAnswer(replica, removed).to_json())
