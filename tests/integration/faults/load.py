"""Hosts that ask, what each of their requests came to, and how many replies each one got."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.clock import SystemClock
from domain.model.errors import SecretsError
from domain.model.transport import HOST_TIMEOUT_SECONDS
from domain.use_cases.ask_for_secret import HostClient
from ports.transport import ChannelError
from tests.support.host import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from nats.aio.msg import Msg

    from tests.support.infisical_server import InfisicalServer

ANSWERED = "answered"
IN_TIME_SECONDS = HOST_TIMEOUT_SECONDS
"""What a host waits. A test adds nothing to it: how fast the machine is it cannot know."""

PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class End:
    """What one request came to: `answered`, the class of a typed error, or why nothing came."""

    kind: str
    seconds: float


def kinds(ends: Iterable[End]) -> Counter[str]:
    """Count the ends by kind."""
    return Counter(end.kind for end in ends)


def slowest(ends: Iterable[End]) -> float:
    """Return the longest time that one took, in seconds."""
    return max(end.seconds for end in ends)


def value_of(key: str) -> str:
    """Return the value that belongs to a key, so that an answer to another request is noticed."""
    return f"value of {key}"


def store_secrets(server: InfisicalServer, count: int) -> list[str]:
    """Store that many secrets and return their keys."""
    keys = [f"KEY_{number}" for number in range(count)]
    for key in keys:
        server.model.put(key, value_of(key))
    return keys


@dataclass
class Crowd:
    """Many requests at a time over one connection.

    Attributes:
        host: asks.
        replies: how many replies each reply subject got, as a second subscriber counts them.
        replied: how many requests for secrets ended with a reply of the service.
    """

    host: Host
    replies: Counter[str]
    replied: int = 0

    @property
    def each_got_one_reply(self) -> bool:
        """Whether one reply was sent to each request that ended with one, and none besides."""
        and_the_server_xkey = 1
        return (
            set(self.replies.values()) == {1}
            and len(self.replies) == self.replied + and_the_server_xkey
        )

    async def ask(self, key: str) -> End:
        """Ask once. Only the right value counts as an answer."""
        started = _clock.monotonic()
        try:
            secret = await self.host.get(key)
        except SecretsError as error:
            kind = type(error).__name__
            self.replied += 1
        except ChannelError as error:
            kind = error.reason
        else:
            assert secret.value.reveal() == value_of(key)
            kind = ANSWERED
            self.replied += 1
        return End(kind, _clock.monotonic() - started)

    async def rush(self, keys: Iterable[str], at_once: int | None = None) -> list[End]:
        """Ask for all at once, or for so many at a time.

        What is in flight at a time bounds how long each request waits for those before it. So a
        test in which none may be refused bounds it, and holds on a slow machine as well.
        """
        await self.host.client.server_xkey()  # once, and not by each of them
        if at_once is None:
            return await asyncio.gather(*map(self.ask, keys))
        places = asyncio.Semaphore(at_once)

        async def ask(key: str) -> End:
            async with places:
                return await self.ask(key)

        return await asyncio.gather(*map(ask, keys))

    async def until_answered(self, key: str) -> float:
        """Ask again and again, and return after how many seconds an answer was there."""
        started = _clock.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if (await self.ask(key)).kind == ANSWERED:
                    return _clock.monotonic() - started
                await asyncio.sleep(_PAUSE_SECONDS)

    @asynccontextmanager
    async def load(self, keys: list[str], askers: int) -> AsyncIterator[list[End]]:
        """Let askers ask in turn, each one request after the other, and collect the ends."""
        await self.host.client.server_xkey()
        ends: list[End] = []
        stop = asyncio.Event()

        async def go_on(first: int) -> None:
            number = first
            while not stop.is_set():
                end = await self.ask(keys[number % len(keys)])
                ends.append(end)
                number += askers
                if end.kind in {"no_responders", "disconnected"}:
                    await asyncio.sleep(_PAUSE_SECONDS)

        tasks = [asyncio.create_task(go_on(number)) for number in range(askers)]
        try:
            yield ends
        finally:
            stop.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*tasks)


async def until_more(ends: list[End], more: int, kind: str = ANSWERED) -> None:
    """Wait until a load has had so many further ends of a kind."""
    goal = kinds(ends)[kind] + more
    async with asyncio.timeout(PATIENCE_SECONDS):
        while kinds(ends)[kind] < goal:  # noqa: ASYNC110  a load has no event
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def crowd(nats_url: str, prefix: str, waits_seconds: float = 10.0) -> AsyncIterator[Crowd]:
    """Connect a crowd, and a subscriber that counts the replies that go to its inbox."""
    inbox = f"_INBOX_OF_HOSTS.{prefix}"
    config = NatsSettings(urls=(nats_url,), inbox_prefix=inbox)
    replies: Counter[str] = Counter()

    async def count(message: Msg) -> None:
        replies[message.subject] += 1

    async with (
        NatsConnection(config, SystemClock(), reconnect_wait=_PAUSE_SECONDS) as listening,
        NatsConnection(config, SystemClock(), reconnect_wait=_PAUSE_SECONDS) as asking,
    ):
        await listening.client.subscribe(f"{inbox}.>", cb=count)
        await listening.client.flush()
        channel = NatsChannel(asking.client, SecretsSubjects(prefix=prefix))
        host = Host(HostClient(channel, SodiumKeyExchange(), waits_seconds), channel)
        yield Crowd(host, replies)
        await listening.client.flush()
