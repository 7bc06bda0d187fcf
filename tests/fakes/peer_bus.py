"""A bus between fakes of several processes, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.peer_bus import PeerBus

if TYPE_CHECKING:
    from collections.abc import Callable


class FakePeerBus(PeerBus):
    """Hands what it broadcasts to all buses it was joined with, at once.

    Attributes:
        sent: every (topic, payload), in order.
    """

    def __init__(self, *others: FakePeerBus) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self._others = list(others)
        self._subscribers: list[tuple[str, Callable[[bytes], None]]] = []
        for other in others:
            other._others.append(self)

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))
        for other in self._others:
            other.receive(topic, payload)

    @override
    async def subscribe(self, topic: str, received: Callable[[bytes], None]) -> None:
        self._subscribers.append((topic, received))

    def receive(self, topic: str, payload: bytes) -> None:
        """Take what another process broadcasts."""
        for each, received in self._subscribers:
            if each == topic:
                received(payload)
