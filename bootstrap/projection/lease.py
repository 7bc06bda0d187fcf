"""The agent's lease on what it has written, and whether it has held all the while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from bootstrap.projection.guard import Guard
    from ports.clock import Clock

RENEWALS: Final = 6
"""How often within one lease it is renewed."""


@final
class Lease:
    """Renewed with the guardian for as long as the agent's work goes on. `guard`: wipes once
    nothing has renewed the lease for its length.
    """

    def __init__(self, guard: Guard, clock: Clock, seconds: float) -> None:
        self._guard = guard
        self._clock = clock
        self._seconds = seconds
        self._alive_at = self._progressed_at = clock.monotonic()
        self._has_lapsed = False

    @property
    def pause_seconds(self) -> float:
        """The time between two renewals."""
        return self._seconds / RENEWALS

    def progressed(self) -> None:
        """Say that the agent does its work: without that the lease is let lapse."""
        self._progressed_at = self._clock.monotonic()

    def move(self, guard: Guard, seconds: float) -> None:
        """Renew it with another guardian from now on, or for another length."""
        self._guard, self._seconds = guard, seconds
        self._alive_at = self._progressed_at = self._clock.monotonic()

    def begin(self) -> None:
        """Begin to look whether the lease holds, for `held`."""
        self._has_lapsed = False

    @property
    def held(self) -> bool:
        """Whether this process was never frozen for a lease's length since `begin`."""
        silent = self._clock.monotonic() - self._alive_at
        return not self._has_lapsed and silent <= self._seconds

    async def keep(self) -> None:
        """Renew it until cancelled."""
        while True:
            now = self._clock.monotonic()
            self._has_lapsed |= now - self._alive_at > self._seconds
            self._alive_at = now
            if now - self._progressed_at < self._seconds:
                self._guard.renew()
            await self._clock.sleep(self.pause_seconds)
