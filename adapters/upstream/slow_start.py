"""How many calls may be in flight after a server refused some: few at first, then more.

A server that limits calls at a time, and not by the minute, refuses most of those that are sent all
at once when its pause is over, and asks for the next pause. As TCP does it (RFC 5681): one call
after a pause, one more with each answer up to half of what was in flight at the refusal, and from
there on one more every few seconds.
"""

from __future__ import annotations

import math
from typing import Final, final

GROW_SECONDS: Final = 2.0
"""Each step up may end in a pause, of a second at least."""


@final
class SlowStart:
    """The calls that may be in flight; times are monotonic seconds.

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
