"""Hosts that ask at a steady rate, and what each request came to."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from domain.model.errors import SecretsError
from domain.use_cases.ask_for_secret import HostClient
from ports.transport import ChannelError
from tests.support.host import Host, new_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nats.aio.msg import Msg

ANSWERED: Final = "answered"
TURNED_AWAY: Final = "no_responders"
"""NATS itself said at once that no replica listened."""

NO_REPLY: Final = frozenset({"timeout", "disconnected"})

INTERVAL_SECONDS: Final = 1 / 60
_HOSTS: Final = 120
"""Each asks every two seconds, and so begins another start each time."""

_INBOX: Final = "_INBOX_OF_HOSTS"


class End(NamedTuple):
    """One request: when it was sent and ended, in monotonic seconds, and what it came to."""

    sent: float
    ended: float
    kind: str


class Load:
    """Asks at a steady rate, however long former requests wait; so no fault hides its end.

    Attributes:
        ends: one for each request, in the order of their ends.
        replies: how many replies came to each reply subject.
    """

    def __init__(self, host: Host, keys: Sequence[str], clock: SystemClock) -> None:
        self._host = host
        self._tokens = [
            new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.HOST) for _ in range(_HOSTS)
        ]
        self._keys = keys
        self._clock = clock
        self._stopping = False
        self._asked: set[asyncio.Task[None]] = set()
        self._pacing: asyncio.Task[None] | None = None
        self.ends: list[End] = []
        self.replies: Counter[str] = Counter()

    @property
    def answered_twice(self) -> int:
        """How many requests got more than one reply."""
        return sum(count > 1 for count in self.replies.values())

    def start(self) -> None:
        """Begin to ask."""
        self._pacing = asyncio.create_task(self._pace())

    async def stop(self) -> None:
        """Let every request have its end."""
        self._stopping = True
        if self._pacing is not None:
            await self._pacing
        await asyncio.gather(*self._asked)

    async def count(self, message: Msg) -> None:
        """Take a reply that some request got."""
        self.replies[message.subject] += 1

    async def _pace(self) -> None:
        due, number = self._clock.monotonic(), 0
        while not self._stopping:
            key = self._keys[number % len(self._keys)]
            task = asyncio.create_task(self._ask(key, self._tokens[number % _HOSTS]))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)
            number += 1
            due = max(due + INTERVAL_SECONDS, self._clock.monotonic() - 1.0)
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))

    async def _ask(self, key: str, host_token: str) -> None:
        sent = self._clock.monotonic()
        try:
            await self._host.get(key, host_token=host_token)
            kind = ANSWERED
        except SecretsError as error:
            kind = type(error).__name__
        except ChannelError as error:
            kind = error.reason
        self.ends.append(End(sent, self._clock.monotonic(), kind))


@asynccontextmanager
async def connected_load(url: str, prefix: str, keys: Sequence[str]) -> AsyncIterator[Load]:
    """Connect a host, and beside it what counts the replies to it."""
    clock = SystemClock()
    settings = NatsSettings(urls=(url,), inbox_prefix=_INBOX)
    async with NatsConnection(settings, clock) as listening, NatsConnection(settings, clock) as own:
        channel = NatsChannel(own.client, SecretsSubjects(prefix=prefix))
        load = Load(Host(HostClient(channel, SodiumKeyExchange()), channel), keys, clock)
        await listening.client.subscribe(f"{_INBOX}.>", cb=load.count)
        await listening.client.flush()
        yield load
