"""Messages among the processes of one backend: its replicas and their workers."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class PeerBus(Protocol):
    """Broadcasts to every other process of the same backend, at most once.

    A process that is away from the bus never hears what it missed, so a message may only shorten a
    wait or forget a value; correctness never depends on its arrival.
    """

    @abstractmethod
    def broadcast(self, topic: str, payload: bytes) -> None:
        """Send to all others; returns at once and never raises.

        Args:
            topic: one word of lower-case letters and "_", such as "login_refused".
            payload: at most 4 KiB; it holds no secret, since an operator may listen.
        """
        ...

    @abstractmethod
    async def subscribe(self, topic: str, received: Callable[[bytes], None]) -> None:
        """Have `received` called with each payload that another process broadcasts.

        `received` must not block; what it raises is logged and goes no further. A subscription that
        is refused or lost is asked for again until the bus closes, so this never raises.
        """
        ...
