"""Requests that arrived faster than they are answered: bounded in bytes, and taken in turns."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.nats.peers import Shares, peer_of

if TYPE_CHECKING:
    from domain.model.transport import Request

MAX_BYTES: Final = 64 * 1024 * 1024
"""Some 20,000 usual requests: what one process answers in about three seconds."""

OVERHEAD_BYTES: Final = 1024
"""What a request takes in memory beside its body and headers, its reply subject included."""

_OPEN_PART: Final = 0.0


class Waiting(NamedTuple):
    """One request that has not been looked into."""

    request: Request
    reply_to: bytes
    headers: bytes | None

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return len(self.request.body) + len(self.headers or b"") + OVERHEAD_BYTES


class Backlog:
    """One queue for each peer; the queues take turns, whatever their lengths."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._shares = Shares(max_bytes, _OPEN_PART)
        self._queues: dict[bytes, deque[Waiting]] = {}
        self._turns: deque[bytes] = deque()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, waiting: Waiting) -> bool:
        """Queue a request; False if its peer's share of the room is used up."""
        peer = peer_of(waiting.reply_to, waiting.headers)
        size = waiting.size
        if not self._shares.has_room(peer, size):
            return False
        self._shares.take(peer, size)
        queue = self._queues.get(peer)
        if queue is None:
            queue = self._queues[peer] = deque()
            self._turns.append(peer)
        queue.append(waiting)
        self._length += 1
        return True

    def take(self) -> Waiting:
        """Return the oldest request of the peer whose turn it is.

        Raises:
            IndexError: nothing waits.
        """
        peer = self._turns.popleft()
        queue = self._queues[peer]
        waiting = queue.popleft()
        if queue:
            self._turns.append(peer)
        else:
            del self._queues[peer]
        self._shares.give_back(peer, waiting.size)
        self._length -= 1
        return waiting
