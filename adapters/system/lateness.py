"""The event loop's own lateness: short of CPU, or held up by a callback that takes long."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from ports.lateness import Lateness
from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ports.clock import Clock

TICK_SECONDS: Final = 0.1
"""How often the loop is to call back: ten times a second, a few microseconds each."""

TOLERATED_SECONDS: Final = 0.02
"""Coming later than this counts; timers and ordinary callbacks stay below."""

KEPT_SECONDS: Final = 30.0
"""How long a late tick is kept: longer than any request may take."""


@final
class LoopLateness(Lateness):
    """Measures how long after their time the event loop makes its callbacks.

    Attributes:
        total_seconds: all lateness since `start`, as a counter.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[tuple[float, float]] = deque()
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.total_seconds = 0.0

    def start(self) -> None:
        """Measure the running event loop from now on."""
        self._set(self._clock.monotonic())

    def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._due = None

    @override
    def late_seconds(self, since: float) -> float:
        now = self._clock.monotonic()
        late = sum(max(0.0, until - max(begun, since)) for begun, until in self._late)
        # The tick that is due has perhaps not been called yet.
        if self._due is not None and now - self._due > TOLERATED_SECONDS:
            late += max(0.0, now - max(self._due, since))
        return late

    def samples(self) -> Iterator[Sample]:
        """Yield the figure for metrics."""
        yield Sample(
            "process_late_seconds_total",
            "Seconds by which this process came late to its own work, for want of CPU or because "
            "one piece of it took long.",
            self.total_seconds,
            kind="counter",
        )

    def _set(self, now: float) -> None:
        self._due = now + TICK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if self._due is not None and now - self._due > TOLERATED_SECONDS:
            self._late.append((self._due, now))
            self.total_seconds += now - self._due
        while self._late and self._late[0][1] < now - KEPT_SECONDS:
            self._late.popleft()
        self._set(now)
