"""The lockout guard: when a login may be tried after refused ones, so that none locks the identity.

Servers count the refused logins of an identity, from all clients together: with a threshold of 3
the third locks it for minutes, right secrets included. Each refusal has the counter live for the
reset time from then, so that three refusals lock even if 20 seconds lie between each two of them;
that time without any, or a login that succeeds, resets it. Logins refused as locked do not prolong
the lock.
(Infisical's identity-ua-service; Vault's user lockout counts alike.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

from adapters.upstream.lockout_file import Refusals
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.upstream.lockout_file import LockoutFile
    from ports.clock import Clock

MARGIN_SECONDS: Final = 2.0
"""Added to the server's times, for as long as a login is in flight."""

QUICK_RETRY_SECONDS: Final = 4.0
"""A fault that was over at once is found to be so after this long, or up to half as much again."""

SPREAD_SECONDS: Final = 6.0
"""Replicas that wait for the same moment go one by one within this time: the first that is refused
tells the others, which then wait on."""

AGAIN_SPREAD_SECONDS: Final = 2.0
"""The same for a try that all replicas were asked for at once, where they are known to be there."""

LOCKED_RETRY_SECONDS: Final = 20.0
"""Between looks whether a lock is over, or up to twice that. They do not prolong it."""


@opaque
class LockoutConfig:
    """How the server locks identities.

    Attributes:
        threshold: refused logins in a row that lock, from 1 up.
        reset_seconds: after so long without a refusal the server has forgotten those before.
        lock_seconds: how long a lock lasts.
    """

    threshold: int = 3
    reset_seconds: float = 30.0
    lock_seconds: float = 300.0


@final
class LockoutGuard:
    """Counts refusals, this process's own and those of its peers, and says when to try again.

    One login less than the threshold may be refused in a row; with a threshold of 1 the first
    refusal locks, and none is tried before the lock is over. Times are monotonic seconds.
    """

    def __init__(
        self,
        config: LockoutConfig,
        clock: Clock,
        jitter: Callable[[], float],
        file: LockoutFile | None = None,
    ) -> None:
        """Take up what an earlier process has left in the file. `file`: has refusals survive this
        process; None forgets them.

        Raises:
            OSError, ValueError: the file cannot be read.
        """
        self._clock = clock
        self._jitter = jitter
        self._file = file
        self._max_in_a_row = max(1, config.threshold - 1)
        self._reset = MARGIN_SECONDS + (
            config.reset_seconds if config.threshold > 1 else config.lock_seconds
        )
        self._in_a_row = 0
        self._last = -math.inf
        self._wait_until = -math.inf
        self._is_refused = False
        self._met_lock = False
        self._met_others = False
        if file is not None:
            self._take_up(file.load())

    @property
    def retry_at(self) -> float:
        """From when on a login may be sent."""
        return max(self._wait_until, self._room_at)

    @property
    def refresh_at(self) -> float:
        """From when on a login may be sent that is not needed yet; it leaves others the room."""
        return max(self._wait_until, self._last + self._reset)

    def refused(self, *, quick: bool) -> None:
        """Note that a login of this process was refused. `quick`: whether the first refusal is
        followed by a quick retry. That may take the last room before the lock, which credentials
        that change by themselves may need.
        """
        self._count()
        if self._met_lock:
            # Another client is counted as well that does not tell.
            pause = 2 * self._reset * (1 + self._jitter())
        elif quick and not self._is_refused and self._in_a_row == 1:
            pause = QUICK_RETRY_SECONDS * (1 + self._jitter() / 2)
        else:
            pause = self._slow()
        self._is_refused = True
        self._wait_until = self._clock.monotonic() + pause
        self._save()

    def refused_elsewhere(self, *, hold: bool = False) -> None:
        """Note that another process was refused with the same identity. `hold`: whether to leave
        what room there is to credentials that change by themselves.
        """
        self._count()
        self._met_others = True
        if hold or self._is_refused or self._in_a_row >= self._max_in_a_row:
            # Its outcome is what a try of this process would have come to.
            until = self._clock.monotonic() + self._slow()
            self._wait_until = max(self._wait_until, until)
        self._save()

    def locked(self) -> None:
        """Note that a login of this process was refused because the identity is locked."""
        self._is_refused = True
        self._met_lock = True
        pause = LOCKED_RETRY_SECONDS * (1 + self._jitter())
        self._wait_until = self._clock.monotonic() + pause
        self._save()

    def accepted(self) -> None:
        """Note that a login succeeded: the server has forgotten all refusals, as this does."""
        had_refusals = self._in_a_row > 0 or self._is_refused
        self._in_a_row = 0
        self._last = self._wait_until = -math.inf
        self._is_refused = self._met_lock = self._met_others = False
        if had_refusals:
            self._save()

    def forget(self) -> None:
        """Wait for nothing but the room: something has changed, or the operator knows better."""
        spread = AGAIN_SPREAD_SECONDS * self._jitter() if self._met_others else 0.0
        self._wait_until = self._clock.monotonic() + spread

    @property
    def _room_at(self) -> float:
        return -math.inf if self._in_a_row < self._max_in_a_row else self._last + self._reset

    def _slow(self) -> float:
        return self._reset + SPREAD_SECONDS * self._jitter()

    def _count(self) -> None:
        now = self._clock.monotonic()
        self._in_a_row = 1 if now >= self._last + self._reset else self._in_a_row + 1
        self._last = now

    def _take_up(self, refusals: Refusals) -> None:
        since_start = self._clock.monotonic() - self._clock.now()
        last = min(refusals.last + since_start, self._clock.monotonic())
        if not refusals.in_a_row or self._clock.monotonic() >= last + self._reset:
            return
        self._in_a_row, self._last, self._is_refused = refusals.in_a_row, last, True
        self._wait_until = last + self._slow()

    def _save(self) -> None:
        if self._file is not None:
            last = self._last + self._clock.now() - self._clock.monotonic()
            self._file.save(Refusals(self._in_a_row, last if self._in_a_row else 0.0))
