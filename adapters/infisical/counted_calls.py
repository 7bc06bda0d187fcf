"""All HTTP calls to Infisical, logins included, counted by what came back."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from adapters.infisical.exchange import exchange
from adapters.infisical.rate_limit import TOO_MANY_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from adapters.infisical.exchange import Answer

LIMITED: Final = "429"
NO_ANSWER: Final = "none"
_LOWEST, _HIGHEST = 2, 5


class CountedCalls:
    """Sends requests by one HTTP client and remembers how many ended in which way.

    Attributes:
        http: makes the requests.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self._counts = dict.fromkeys(("2xx", "3xx", "4xx", LIMITED, "5xx", NO_ANSWER), 0)

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls that ended: by the class of their status, `429` apart, and `none` unanswered."""
        return MappingProxyType(self._counts)

    async def exchange(self, request: httpx.Request) -> Answer:
        """Send one request, as `exchange.exchange` does.

        Raises:
            ExchangeFailedError: there was no answer.
        """
        kind = NO_ANSWER
        try:
            answer = await exchange(self.http, request)
            kind = _class_of(answer.status)
        finally:
            # Whoever gives up at a deadline does so by cancelling: no answer came in time.
            self._counts[kind] += 1
        return answer


def _class_of(status: int) -> str:
    if status == TOO_MANY_REQUESTS:
        return LIMITED
    return f"{min(max(status // 100, _LOWEST), _HIGHEST)}xx"
