"""How long each host has waited in the start it is in, and how long its next request may take.

A v1 host fetches the secrets of a start one after the other while it holds the lock on all its
components: as long as it waits, it starts, stops and lists nothing, and delays calls to components
that run (docs/real-hosts.md). Waits add up, so they are bounded together, for each start.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from domain.model.errors import RateLimited, StoreUnavailable
from domain.model.opaque import stateful
from domain.model.recently_used import RecentlyUsed
from domain.model.transport import HOST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from domain.model.authenticated_request import AskedSecret
    from domain.model.identity import Caller
    from ports.secret_store import StoreHealth

_Host: TypeAlias = "tuple[str, str]"

MAX_HOSTS = 4096
"""Hosts that are remembered; of more, the longest unused are forgotten."""

RETRY_GAP_SECONDS = 1.0
"""A host that asks again for a secret it was refused begins another start, unless it does so at
once: then it goes on with the same one, as with the secrets of a provider's links."""

DOWN_SECONDS = 0.25
"""What a request may take while the store is known to be down: time for a store that is back."""

NOTICED_SECONDS = 1.0
"""Shorter waits are those of a store that works."""

_FIRST_SHARE = 0.9
"""The rest is left for requests after a failed one."""

_SPENT_SHARE = 0.01
"""What a request may take in a start that the store has failed for as long as it may: as good as
none, and enough for a cache or for a store that is back."""

RECOVERED_SECONDS = 2.0
"""A start that gets an answer so long after the store last failed it is no longer held to that."""

_WORKING_SHARE = 0.1
"""What a request may take in any case while all before it were answered: many secrets that each
come quickly are no outage."""


@stateful
class _Start:
    entity: str
    asked: set[AskedSecret] = field(default_factory=set)
    waited: float = 0.0
    last_end: float = 0.0
    waiting: int = 0
    has_failed: bool = False
    failed_at: float = 0.0

    def begin_again(self, entity: str) -> None:
        self.entity = entity
        self.asked.clear()
        self.waited = 0.0
        self.has_failed = False


class Wait(NamedTuple):
    """One request that waits for the store.

    Attributes:
        seconds: how long it may take, counted from its arrival; the request's own limit if less.
        start: what its host is in.
        counts: towards what the start may wait; not while another request of the host waits, which
            then does not ask for one after the other.
    """

    begun: float
    seconds: float
    start: _Start
    counts: bool


@stateful
class HostWaits:
    """Bounds what one start of one host waits for the store. All times are monotonic seconds.

    A host is identified by the key of its token and by the account that signed it, which the host
    generates at each of its starts, so no other client can wait in its name. Requests that are
    answered from memory do not pass here. Each process counts for itself.

    Attributes:
        seconds: what a start may wait; 0 for no bound but each request's own.
        health: whether the store is known to be down; None if that is unknown.
        frozen_seconds: what hosts have waited so far in waits that their operators can notice.
        cut_short: requests that got less time because of what their start had waited.
    """

    seconds: float
    health: StoreHealth | None = None
    frozen_seconds: float = 0.0
    cut_short: int = 0
    _starts: RecentlyUsed[_Host, _Start] = field(
        default_factory=lambda: RecentlyUsed(MAX_HOSTS), repr=False
    )

    def longest(self, limit: float) -> float:
        """Return what any request may take, whatever its host has waited."""
        return min(limit, _FIRST_SHARE * self.seconds) if self.seconds > 0 else limit

    def begin(self, caller: Caller, asked: AskedSecret, arrived: float, limit: float) -> Wait:
        """Say how long a request may take, at most `limit`; each wait must be ended."""
        start = self._start_of(caller, asked, arrived)
        start.waiting += 1
        if start.waiting > 1:
            return Wait(arrived, limit, start, counts=False)
        start.asked.add(asked)
        allowed = min(limit, self._allowed(start))
        self.cut_short += allowed < limit and start.waited > 0
        if self.health is not None and self.health.is_down:
            allowed = min(allowed, DOWN_SECONDS)
        return Wait(arrived, allowed, start, counts=True)

    def end(self, wait: Wait, now: float, error: BaseException | None) -> None:
        """Count a wait, which ended in an answer or an error."""
        seconds = max(0.0, now - wait.begun)
        self.frozen_seconds += seconds if seconds >= NOTICED_SECONDS else 0.0
        wait.start.waiting -= 1
        if wait.counts:
            wait.start.waited += seconds
            wait.start.last_end = now
            self._judge(wait.start, wait, now, error)

    def _judge(self, start: _Start, wait: Wait, now: float, error: BaseException | None) -> None:
        if isinstance(error, (StoreUnavailable, RateLimited)):
            # One that was given next to no time says nothing of the store.
            if not start.has_failed or wait.seconds >= _WORKING_SHARE * self.seconds:
                start.failed_at = now
            start.has_failed = True
        elif error is None and now - start.failed_at >= RECOVERED_SECONDS:
            start.has_failed = False

    def _start_of(self, caller: Caller, asked: AskedSecret, arrived: float) -> _Start:
        host, entity = (caller.host.issuer, caller.host.subject), caller.entity.subject
        start = self._starts.find(host)
        if start is None:
            start = _Start(entity)
            self._starts.keep(host, start)
        elif start.waiting == 0 and (
            start.entity != entity or self._is_over(start, asked, arrived)
        ):
            start.begin_again(entity)
        return start

    def _is_over(self, start: _Start, asked: AskedSecret, arrived: float) -> bool:
        gap = arrived - start.last_end
        if gap >= HOST_TIMEOUT_SECONDS:
            return True
        at_once = start.has_failed and gap < RETRY_GAP_SECONDS
        return asked in start.asked and not at_once

    def _allowed(self, start: _Start) -> float:
        if self.seconds <= 0:
            return float("inf")
        rest = _FIRST_SHARE * self.seconds - start.waited
        share = _SPENT_SHARE if start.has_failed else _WORKING_SHARE
        return max(rest, share * self.seconds)
