"""Lateness as a test says it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.lateness import Lateness

if TYPE_CHECKING:
    from ports.clock import Clock


class FakeLateness(Lateness):
    """`note` says when the process was late; nothing else makes it so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: list[tuple[float, float]] = []

    def note(self, begun: float, until: float) -> None:
        """Let the process have been late between these monotonic seconds."""
        self._late.append((begun, until))

    @override
    def late_seconds(self, since: float) -> float:
        now = self._clock.monotonic()
        return sum(max(0.0, min(until, now) - max(begun, since)) for begun, until in self._late)
