"""Failed calls: shared by all requests that waited, and kept for a moment (negative cache)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from domain.model.errors import (
    RateLimited,
    SecretNotFound,
    ServiceStarved,
    StoreUnavailable,
    UpstreamError,
)

if TYPE_CHECKING:
    from adapters.cache.key import CacheKey
    from domain.model.errors import SecretsError
    from domain.model.selection import Selection

MAX_FAILURES = 256
"""Failures kept at once; of more, the oldest are dropped."""


def is_outage(error: SecretsError) -> bool:
    """Say whether the store could not be asked, so that a former answer still stands."""
    return isinstance(error, (StoreUnavailable, RateLimited, ServiceStarved))


def may_be_kept(error: SecretsError) -> bool:
    """Say whether the next request would only get the same answer.

    A refusal may hold for one caller or one version alone, so it is never kept.
    """
    return isinstance(error, (UpstreamError, SecretNotFound))


CLOSED = UpstreamError(
    "This backend is shutting down; start the component again, another replica will answer.",
    reason="cache_closed",
)


class FailureMemory:
    """Failures by key, each for the same short time; beside the entries, to evict none of them.

    A time of 0 keeps nothing.
    """

    __slots__ = ("_by_key", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_key: OrderedDict[CacheKey, tuple[SecretsError, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: CacheKey, now: float) -> SecretsError | None:
        """Return the failure, unless its time is over."""
        held = self._by_key.get(key)
        return held[0] if held is not None and now < held[1] else None

    def keep(self, key: CacheKey, failure: SecretsError, now: float) -> None:
        """Keep the failure from now on."""
        self._by_key.pop(key, None)
        self._by_key[key] = (failure, now + self._seconds)
        # All live equally long, so the first in are the first to expire.
        while self._by_key and self._first_is_to_go(now):
            self._by_key.popitem(last=False)

    def drop(self, selection: Selection) -> None:
        """Drop all failures selected."""
        for key in [key for key in self._by_key if selection.matches(key[0])]:
            del self._by_key[key]

    def _first_is_to_go(self, now: float) -> bool:
        _, until = next(iter(self._by_key.values()))
        return until <= now or len(self._by_key) > MAX_FAILURES
