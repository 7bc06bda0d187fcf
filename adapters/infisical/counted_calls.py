"""All HTTP calls to Infisical, logins included, counted and timed by what came back."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from adapters.infisical.durations import Durations
from adapters.infisical.exchange import exchange
from adapters.infisical.rate_limit import TOO_MANY_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from adapters.infisical.exchange import Answer
    from ports.clock import Clock

LIMITED: Final = "429"
NO_ANSWER: Final = "none"
STATUSES: Final = ("2xx", "3xx", "4xx", LIMITED, "5xx", NO_ANSWER)
_LOWEST, _HIGHEST = 2, 5


class Call(StrEnum):
    """What is asked: Infisical limits the two apart."""

    LOGIN = "login"
    READ = "read"


class CountedCalls:
    """Sends requests by one HTTP client, and remembers how many ended in which way and how soon.

    Attributes:
        http: makes the requests.
    """

    def __init__(self, http: httpx.AsyncClient, clock: Clock) -> None:
        self.http = http
        self._clock = clock
        # Those that do occur from the start: a series that begins with a call has no rate for it.
        self._durations = {(str(call), STATUSES[0]): Durations() for call in Call}

    @property
    def durations(self) -> Mapping[tuple[str, str], Durations]:
        """How long calls took from the first byte sent to the last received, connecting included.

        By `Call` and by the class of the status: `429` apart, and `none` unanswered, which lasted
        until somebody gave up. What never happened may be absent.
        """
        return MappingProxyType(self._durations)

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls that ended, by the same classes; all of them are there."""
        counts = dict.fromkeys(STATUSES, 0)
        for (_, status), durations in self._durations.items():
            counts[status] += durations.count
        return counts

    async def exchange(self, call: Call, request: httpx.Request) -> Answer:
        """Send one request, as `exchange.exchange` does.

        Raises:
            ExchangeFailedError: there was no answer.
        """
        status = NO_ANSWER
        began = self._clock.monotonic()
        try:
            answer = await exchange(self.http, request)
            status = _class_of(answer.status)
        finally:
            # Whoever gives up at a deadline does so by cancelling: no answer came in time.
            seconds = self._clock.monotonic() - began
            self._durations.setdefault((str(call), status), Durations()).add(seconds)
        return answer


def _class_of(status: int) -> str:
    if status == TOO_MANY_REQUESTS:
        return LIMITED
    return f"{min(max(status // 100, _LOWEST), _HIGHEST)}xx"
