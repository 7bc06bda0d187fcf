"""A limit that many peers share, so that none of them leaves the others without."""

from __future__ import annotations


class Shares:
    """Counts what each peer holds of a limited whole.

    While less than `open_part` of it is held, any peer may take more. Beyond that a peer may hold
    no more than is left free (a dynamic threshold), so that one that comes late still finds room.

    Args:
        limit: the whole, in any unit.
        open_part: the part of it that is given to whichever peer asks first.

    Attributes:
        total: what all of them hold.
    """

    def __init__(self, limit: int, open_part: float) -> None:
        self._limit = limit
        self._open = limit * open_part
        self._held: dict[bytes, int] = {}
        self.total = 0

    @property
    def are_open(self) -> bool:
        """Whether any peer may still take one unit more."""
        return self.total < self._open

    def has_room(self, peer: bytes, size: int) -> bool:
        """Say whether the peer may take that much more."""
        free = self._limit - self.total
        return size <= free and (self.are_open or self._held.get(peer, 0) + size <= free)

    def take(self, peer: bytes, size: int) -> None:
        """Count that much more as the peer's."""
        self._held[peer] = self._held.get(peer, 0) + size
        self.total += size

    def give_back(self, peer: bytes, size: int) -> None:
        """Take back what `take` gave."""
        self.total -= size
        left = self._held[peer] - size
        if left:
            self._held[peer] = left
        else:
            del self._held[peer]
