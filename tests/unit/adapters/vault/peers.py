"""A bus of several processes in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from ports.peer_bus import PeerBus

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class Peers(PeerBus):
    """One process's end; `peers()` makes connected ones.

    Attributes:
        sent: what this process broadcast.
    """

    def __init__(self, all_ends: list[Peers]) -> None:
        self._all = all_ends
        self._received: dict[str, list[Callable[[bytes], None]]] = {}
        self.sent: list[tuple[str, bytes]] = []

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))
        for end in self._all:
            if end is not self:
                for received in end._received.get(topic, ()):
                    received(payload)

    @override
    async def subscribe(self, topic: str, received: Callable[[bytes], None]) -> None:
        self._received.setdefault(topic, []).append(received)


def peers(count: int = 1) -> list[Peers]:
    """Return the ends of connected processes."""
    ends: list[Peers] = []
    ends.extend(Peers(ends) for _ in range(count))
    return ends
