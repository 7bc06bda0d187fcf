"""A bus between fakes of several processes, in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.system.lone_process import KnownAnswers
from ports.peer_bus import Answers, PeerBus
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.clock import Clock


class FakePeerBus(PeerBus):
    """Hands what it sends to all buses it was joined with, at once.

    Attributes:
        sent: every (topic, payload) broadcast, in order.
        asked: every (topic, payload) of a question, in order.
        published: every (event, payload), in order.
        is_down: whether questions find no other process.
    """

    def __init__(self, *others: FakePeerBus) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.asked: list[tuple[str, bytes]] = []
        self.published: list[tuple[str, bytes]] = []
        self.is_down = False
        self._others = list(others)
        self._subscribers: dict[str, Callable[[bytes], bytes | None]] = {}
        for other in others:
            other._others.append(self)

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))
        for other in self._others:
            other.receive(topic, payload)

    @override
    async def subscribe(
        self,
        topic: str,
        received: Callable[[bytes], bytes | None],
        *,
        from_operators: bool = False,
    ) -> None:
        assert topic not in self._subscribers, "a process subscribes to a topic once"
        self._subscribers[topic] = received

    @override
    async def ask(self, topic: str, payload: bytes) -> Answers:
        if self.is_down:
            raise ChannelError("The bus is down; wait.", reason="down")
        self.asked.append((topic, payload))
        answers = (each.receive(topic, payload) for each in (self, *self._others))
        return KnownAnswers([answer for answer in answers if answer is not None])

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        self.published.append((event, payload))

    def receive(self, topic: str, payload: bytes) -> bytes | None:
        """Take what another process sends, and return the answer."""
        received = self._subscribers.get(topic)
        return None if received is None else received(payload)


class LatePeerBus(PeerBus):
    """Delivers broadcasts to the other buses after a delay, as a network does.

    Attributes:
        lost: whether what is sent from now on is lost.
    """

    def __init__(self, clock: Clock, seconds: float, others: list[LatePeerBus]) -> None:
        """Join the others; the list is shared by all."""
        self.lost = False
        self._clock = clock
        self._seconds = seconds
        self._others = others
        self._subscribers: dict[str, Callable[[bytes], bytes | None]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        others.append(self)

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        if self.lost:
            return
        task = asyncio.create_task(self._deliver(topic, payload))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    @override
    async def subscribe(
        self,
        topic: str,
        received: Callable[[bytes], bytes | None],
        *,
        from_operators: bool = False,
    ) -> None:
        self._subscribers[topic] = received

    @override
    async def ask(self, topic: str, payload: bytes) -> Answers:
        raise ChannelError("This bus only broadcasts.", reason="disconnected")

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        raise ChannelError("This bus only broadcasts.", reason="disconnected")

    async def _deliver(self, topic: str, payload: bytes) -> None:
        await self._clock.sleep(self._seconds)
        for other in self._others:
            received = other._subscribers.get(topic)
            if other is not self and received is not None:
                received(payload)
