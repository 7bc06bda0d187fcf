"""Failed calls: what is passed to everybody who waited, and for a moment to those who follow."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import SecretNotFound, SecretsError, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from adapters.cache.key import CacheKey
    from adapters.cache.selection import CacheSelection

MAX_FAILURES = 256
"""Failures remembered at once; of more, the oldest are asked for again."""

DEADLINE_PASSED = "deadline_passed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call failed, from which each waiter gets an error of its own.

    One exception raised in many tasks would collect all their stacks.

    Attributes:
        is_outage: the store is unreachable, failing or limiting: a former answer still stands.
    """

    kind: type[SecretsError]
    advice: str
    reason: str
    upstream_request_id: str | None = None
    is_outage: bool = False

    @classmethod
    def of(cls, error: SecretsError, outages: AbstractSet[str]) -> Failure:
        """Keep what an error says, and nothing else of it."""
        return cls(
            type(error),
            error.advice,
            error.reason,
            error.upstream_request_id,
            isinstance(error, UpstreamError) and error.reason in outages,
        )

    @property
    def may_be_remembered(self) -> bool:
        """Whether the next request would only hear the same.

        A refusal may hold for one caller or one version alone, so it is never remembered.
        """
        return issubclass(self.kind, (UpstreamError, SecretNotFound))

    def error(self) -> SecretsError:
        """Return a new error that says the same."""
        return self.kind(
            self.advice, reason=self.reason, upstream_request_id=self.upstream_request_id
        )


TIMED_OUT = Failure(
    UpstreamError,
    "The secret store did not answer in time; check that it is up, and start the component again "
    "in 10 seconds.",
    DEADLINE_PASSED,
    is_outage=True,
)

CLOSED = Failure(
    UpstreamError,
    "This backend is shutting down; start the component again, another replica will answer.",
    "cache_closed",
)


class FailureMemory:
    """Failures by key, each for the same short time; beside the entries, to push none of them out.

    A time of 0 remembers nothing.
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

    def remember(self, key: CacheKey, failure: Failure, now: float) -> None:
        """Keep the failure from now on."""
        self._by_key.pop(key, None)
        self._by_key[key] = (failure, now + self._seconds)
        # All live equally long, so the first in are the first over.
        while self._by_key and self._first_is_to_go(now):
            self._by_key.popitem(last=False)

    def drop(self, selection: CacheSelection) -> None:
        """Drop all failures selected."""
        for key in [key for key in self._by_key if selection.matches(key[0])]:
            del self._by_key[key]

    def _first_is_to_go(self, now: float) -> bool:
        _, until = next(iter(self._by_key.values()))
        return until <= now or len(self._by_key) > MAX_FAILURES
