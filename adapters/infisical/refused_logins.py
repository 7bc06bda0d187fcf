"""When a login may be tried after refused ones, so that the identity is never locked out by it.

Newer servers count the refused logins of an identity, whoever sends them. The third locks the
identity for five minutes, right secrets included. Each refusal has the counter live for 30 seconds
more, so that three refusals lock even if 20 seconds lie between each two of them; 30 seconds
without any, or a login that succeeds, reset it. Logins refused as locked do not prolong the lock.
(Infisical's identity-ua-service; threshold and times are its defaults.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.clock import Clock

RESET_SECONDS: Final = 32.0
"""After this long without a refusal the server has forgotten those before: its 30, and a margin
for the time that a login is under way."""

MAX_IN_A_ROW: Final = 2
"""Refusals without such a gap between them; one more locks."""

QUICK_RETRY_SECONDS: Final = 4.0
"""A fault that was over at once is found to be so after this long, or up to half as much again."""

SPREAD_SECONDS: Final = 6.0
"""Replicas that wait for the same moment go one by one within this time: the first that is refused
tells the others, who then wait on."""

AGAIN_SPREAD_SECONDS: Final = 2.0
"""The same for a try that all replicas were asked for at once, where they are known to be there."""

LOCKED_RETRY_SECONDS: Final = 20.0
"""Between looks whether a lock is over, or up to twice that. They do not prolong it."""

AFTER_LOCK_SECONDS: Final = 2 * RESET_SECONDS
"""Between tries after a lock was met, or up to twice that: somebody else is counted as well, who
does not tell."""


class RefusedLogins:
    """Counts refusals, this process's own and those it is told of, and says when to try again.

    Its times are monotonic seconds.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        """Take a clock, and a source of evenly spread numbers from 0 up to 1."""
        self._clock = clock
        self._jitter = jitter
        self._in_a_row = 0
        self._last = -math.inf
        self._wait_until = -math.inf
        self._is_refused = False
        self._met_lock = False
        self._met_others = False

    @property
    def retry_at(self) -> float:
        """From when on a login may be sent."""
        return max(self._wait_until, self._room_at)

    @property
    def refresh_at(self) -> float:
        """From when on a login may be sent that is not needed yet; it leaves others the room."""
        return max(self._wait_until, self._last + RESET_SECONDS)

    def refused(self, *, quick: bool) -> None:
        """Note that a login of this process was refused.

        Args:
            quick: whether the first refusal is followed by a quick retry. That takes the last room
                before the lock, which credentials that change by themselves may need.
        """
        self._count()
        if self._met_lock:
            pause = AFTER_LOCK_SECONDS * (1 + self._jitter())
        elif quick and not self._is_refused and self._in_a_row == 1:
            pause = QUICK_RETRY_SECONDS * (1 + self._jitter() / 2)
        else:
            pause = self._slow()
        self._is_refused = True
        self._wait_until = self._clock.monotonic() + pause

    def refused_elsewhere(self) -> None:
        """Note that another process was refused with the same identity."""
        self._count()
        self._met_others = True
        if self._is_refused or self._in_a_row >= MAX_IN_A_ROW:
            # Its outcome is what a try of this process would have come to.
            until = self._clock.monotonic() + self._slow()
            self._wait_until = max(self._wait_until, until)

    def locked(self) -> None:
        """Note that a login of this process was refused because the identity is locked."""
        self._is_refused = True
        self._met_lock = True
        pause = LOCKED_RETRY_SECONDS * (1 + self._jitter())
        self._wait_until = self._clock.monotonic() + pause

    def accepted(self) -> None:
        """Note that a login succeeded: the server has forgotten all refusals, as this does."""
        self._in_a_row = 0
        self._last = self._wait_until = -math.inf
        self._is_refused = self._met_lock = self._met_others = False

    def forget(self) -> None:
        """Wait for nothing but the room: something has changed, or somebody knows better."""
        spread = AGAIN_SPREAD_SECONDS * self._jitter() if self._met_others else 0.0
        self._wait_until = self._clock.monotonic() + spread

    @property
    def _room_at(self) -> float:
        return -math.inf if self._in_a_row < MAX_IN_A_ROW else self._last + RESET_SECONDS

    def _slow(self) -> float:
        return RESET_SECONDS + SPREAD_SECONDS * self._jitter()

    def _count(self) -> None:
        now = self._clock.monotonic()
        self._in_a_row = 1 if now >= self._last + RESET_SECONDS else self._in_a_row + 1
        self._last = now
