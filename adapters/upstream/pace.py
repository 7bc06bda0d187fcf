"""How long the calls of each tenant take, to refuse at once what a slow tenant answers too late."""

from __future__ import annotations

from collections import OrderedDict, deque
from statistics import median
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Hashable

SLOW_SECONDS: Final = 0.5
"""A quicker call says that its tenant is not slow, or no longer: a burst clears in time."""

SURELY: Final = 0.75
"""A request is refused only if it would be too late even if calls took that part of the median."""

SAMPLES: Final = 15
MIN_SAMPLES: Final = 3
MAX_TENANTS: Final = 1000


@final
class Pace:
    """The durations of each tenant's calls since its last quick one.

    A timed-out call counts with its time-out. Its true duration is unknown (censored), and longer.
    """

    def __init__(self, share: int) -> None:
        """Take how many calls of one tenant are in flight at a time."""
        self._share = share
        self._durations: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def ended(self, tenant: Hashable, seconds: float) -> None:
        """Note a call that ended."""
        if seconds < SLOW_SECONDS:
            # A store that is back answers at once: what it took before says nothing more.
            self._durations.pop(tenant, None)
            return
        durations = self._durations.setdefault(tenant, deque(maxlen=SAMPLES))
        durations.append(seconds)
        self._durations.move_to_end(tenant)
        if len(self._durations) > MAX_TENANTS:
            self._durations.popitem(last=False)

    def wait(self, tenant: Hashable, position: int) -> float:
        """Return the seconds until a waiter's call ends that has so many before it; 0 if unknown.

        Position times median, divided by the calls that run side by side.
        """
        durations = self._durations.get(tenant)
        if durations is None or len(durations) < min(MIN_SAMPLES, self._share):
            return 0.0
        return (position // self._share + 1) * median(durations)
