"""The bulkhead: how many calls may be in flight, shared so that no tenant can hold all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Hashable


@final
class Bulkhead:
    """A tenant may begin a call only while it has fewer in flight than are left free.

    So a tenant whose calls all hang holds half of the bulkhead at most, a second one half of what
    is left, and so on (dynamic threshold): many tenants have to hang before another finds it full.
    """

    def __init__(self, size: int) -> None:
        """Take how many calls may be in flight, from 1 up."""
        self.size = size
        self.free = size
        self._held: dict[Hashable, int] = {}

    @property
    def in_flight(self) -> int:
        """Calls in flight."""
        return self.size - self.free

    def may_begin(self, tenant: Hashable) -> bool:
        """Say whether a call of this tenant may begin."""
        return self._held.get(tenant, 0) < self.free

    def begin(self, tenant: Hashable) -> None:
        """Begin a call; `may_begin` must hold."""
        self.free -= 1
        self._held[tenant] = self._held.get(tenant, 0) + 1

    def end(self, tenant: Hashable) -> None:
        """End a call."""
        self.free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]


GROW_SECONDS: Final = 2.0
"""Each step up may end in a pause, of a second at least."""


@final
class SlowStart:
    """How many calls may be in flight after a server refused some: few at first, then more.

    A server that limits calls at a time, and not by the minute, refuses most of those that are sent
    all at once when its pause is over, and asks for the next pause. As TCP does it (RFC 5681): one
    call after a pause, one more with each answer up to half of what was in flight at the refusal,
    and from there on one more every few seconds. Times are monotonic seconds.

    Attributes:
        limit: how many at most, from 1 up.
    """

    def __init__(self, size: int) -> None:
        """Begin with no refusal.

        Args:
            size: the limit while the server refuses none.
        """
        self.limit = size
        self._size = size
        self._threshold = size
        self._refused_at = -math.inf
        self._grown_at = -math.inf

    def refused(self, sent_at: float, in_flight: int, now: float) -> None:
        """Take that the server refused a call; those that were sent together count once.

        Args:
            in_flight: calls in flight, this one included.
        """
        if sent_at > self._refused_at:
            self._threshold = max(1, in_flight // 2)
            self._refused_at = now
        self.limit = 1
        self._grown_at = now

    def answered(self, sent_at: float, now: float) -> None:
        """Take that the server answered a call."""
        if self.limit >= self._size or sent_at <= self._refused_at:
            return
        if self.limit < self._threshold or now - self._grown_at >= GROW_SECONDS:
            self.limit += 1
            self._grown_at = now
