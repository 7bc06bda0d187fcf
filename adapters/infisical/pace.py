"""How fast places come free while somebody waits for one."""

from __future__ import annotations

from collections import deque

from adapters.infisical import reasons
from domain.model.errors import UpstreamError
from domain.model.wording import seconds_in_words

SAMPLES = 20
CAUTION = 2.0
"""A request is refused for want of time only if it would take twice as long: an estimate that is
somewhat off must not refuse what would have been answered."""


class Pace:
    """Estimates waits from the last places that came free during one unbroken rush."""

    def __init__(self) -> None:
        self._freed: deque[float] = deque(maxlen=SAMPLES)

    def freed(self, now: float) -> None:
        """Note that a place came free for which somebody waits."""
        self._freed.append(now)

    def rush_over(self) -> None:
        """Forget everything: nobody waits any more."""
        self._freed.clear()

    def wait(self, position: int) -> float:
        """Return the seconds until the one with that many before it has a place; 0 if unknown."""
        if len(self._freed) < SAMPLES:
            return 0.0
        return (position + 1) * (self._freed[-1] - self._freed[0]) / (SAMPLES - 1)

    def is_hopeless(self, position: int, seconds_left: float) -> bool:
        """Say whether one with that many before it would surely wait for longer than it can."""
        return self.wait(position) > CAUTION * max(seconds_left, 0.0)

    def refusal(self, position: int) -> UpstreamError:
        """Return the error that says why, and when to try again."""
        return UpstreamError(
            "Infisical is too slow for all that is asked of it; check its health, and try again in "
            f"{seconds_in_words(self.wait(position))}.",
            reason=reasons.BUSY,
        )
