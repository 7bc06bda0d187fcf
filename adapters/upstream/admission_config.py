"""What admission knows of one store, and how it words what it refuses or holds back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple, final

import structlog

from domain.model.errors import CallWithheld, StoreBusy
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    from adapters.upstream.limits import NextPlace
    from ports.store_plugin import StoreContext


def worker_share(calls: int | None, context: StoreContext) -> int | None:
    """Return this worker's part of so many calls, one at least; None where there is no limit."""
    if calls is None:
        return None
    share, left_over = divmod(calls, context.workers)
    return max(1, share + (context.worker < left_over))


BUSY_SECONDS: Final = 10.0
"""Told to a request that waited until its deadline for a call to end: when one will is unknown."""


class AdmissionConfig(NamedTuple):
    """What admission needs to know of one store.

    Attributes:
        name: the store's name in advice.
        code: begins reason codes and log events.
        limit_setting: the operator's setting for `max_per_minute`, for advice.
        max_in_flight: calls in flight at most, from 1 up.
        max_per_minute: calls sent in any minute at most; None is no limit but the server's own.
        starts_slowly: whether the server limits calls at a time: after a pause that it asked for,
            they come back one by one.
    """

    name: str
    code: str
    limit_setting: str
    max_in_flight: int
    max_per_minute: int | None = None
    starts_slowly: bool = False

    def rate_limited(self, place: NextPlace, now: float) -> CallWithheld:
        """Return the error for a request that a rate limit refuses until a place comes free."""
        limiter, remedy = self.name, "raise its limits"
        if place.by_own_limit:
            limiter, remedy = self.limit_setting, "raise it"
        seconds = max(0.0, place.at - now)
        return CallWithheld(
            f"{limiter} limits the rate of calls; try again in {seconds_in_words(seconds)}, or "
            f"{remedy}.",
            reason=f"{self.code}_rate_limited",
            retry_after=seconds,
        )

    def busy(self) -> StoreBusy:
        """Return the error for a request that waited in vain for a slow store's calls to end."""
        return StoreBusy(
            f"{self.name} is too slow for all that is asked of it; check its health, and try again "
            f"in {seconds_in_words(BUSY_SECONDS)}.",
            reason=f"{self.code}_busy",
            retry_after=BUSY_SECONDS,
        )


LOG_SECONDS: Final = 10.0
"""Under the operator's limit places come free one by one; not each is worth a line."""

_log = structlog.get_logger()


@final
class ThrottleLog:
    """Writes one line for each time that calls are held back, and not too often."""

    def __init__(self, code: str) -> None:
        self._store = code
        self._quiet_until = -math.inf

    def write(self, until: float, waiting: int, now: float) -> None:
        """Write until when no call is sent, if that is known and was not written just before.

        Args:
            until: monotonic seconds; not after `now` if it is unknown.
            now: monotonic seconds.
        """
        if now >= self._quiet_until and until > now:
            self._quiet_until = max(until, now + LOG_SECONDS)
            _log.warning(
                "upstream.held_back",
                store=self._store,
                seconds=round(until - now, 1),
                waiting=waiting,
            )
