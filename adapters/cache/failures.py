"""Failed calls: shared by all requests that waited, and kept for a moment (negative cache)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from domain.model.errors import (
    RateLimited,
    SecretNotFound,
    SecretsError,
    ServiceStarved,
    StoreUnavailable,
    UpstreamError,
)

if TYPE_CHECKING:
    from adapters.cache.key import CacheKey
    from domain.model.selection import Selection

MAX_FAILURES = 256
"""Failures kept at once; of more, the oldest are dropped."""


class Failure(NamedTuple):
    """Why a call failed, from which each waiting request gets an error of its own.

    One exception raised in many tasks would collect all their stacks.
    """

    kind: type[SecretsError]
    advice: str
    reason: str
    upstream_request_id: str | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, error: SecretsError) -> Failure:
        """Keep what an error says, and nothing else of it."""
        return cls(
            type(error), error.advice, error.reason, error.upstream_request_id, error.retry_after
        )

    @property
    def is_outage(self) -> bool:
        """Whether the store could not be asked, so that a former answer still stands."""
        return issubclass(self.kind, (StoreUnavailable, RateLimited, ServiceStarved))

    @property
    def may_be_kept(self) -> bool:
        """Whether the next request would only get the same answer.

        A refusal may hold for one caller or one version alone, so it is never kept.
        """
        return issubclass(self.kind, (UpstreamError, SecretNotFound))

    def error(self) -> SecretsError:
        """Return a new error that says the same."""
        return self.kind(
            self.advice,
            reason=self.reason,
            upstream_request_id=self.upstream_request_id,
            retry_after=self.retry_after,
        )


CLOSED = Failure(
    UpstreamError,
    "This backend is shutting down; start the component again, another replica will answer.",
    "cache_closed",
)


class FailureMemory:
    """Failures by key, each for the same short time; beside the entries, to evict none of them.

    A time of 0 keeps nothing.
    """

    __slots__ = ("_by_key", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_key: OrderedDict[CacheKey, tuple[Failure, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: CacheKey, now: float) -> Failure | None:
        """Return the failure, unless its time is over."""
        held = self._by_key.get(key)
        return held[0] if held is not None and now < held[1] else None

    def keep(self, key: CacheKey, failure: Failure, now: float) -> None:
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
