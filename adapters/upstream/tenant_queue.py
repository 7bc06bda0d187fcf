"""Requests that wait for admission, in order of arrival."""

from __future__ import annotations

from collections import OrderedDict
from heapq import merge
from typing import TYPE_CHECKING

from domain.model.opaque import stateful

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Hashable, Iterator

    from domain.model.errors import RateLimited


@stateful
class Waiter:
    """A request that waits for admission.

    Attributes:
        key: what it asks for; a refused key has a reservation.
        tenant: shares the bulkhead with the other requests of this tenant.
        granted: ends with None to go on, or with why not.
    """

    key: Hashable
    tenant: Hashable
    deadline: float
    granted: asyncio.Future[RateLimited | None]


class TenantQueue:
    """Waiters in order of arrival. `waiting`: how many there are.

    Kept by tenant, so that a tenant that may not go on costs one look and not one for each waiter.
    """

    def __init__(self) -> None:
        # A plain dict would look for its first waiter past all that have left.
        self._tenants: dict[Hashable, OrderedDict[Waiter, int]] = {}
        self.waiting = 0
        self._arrivals = 0

    def push(self, waiter: Waiter) -> None:
        """Add a waiter at the end."""
        self._arrivals += 1
        self.waiting += 1
        waiters = self._tenants.get(waiter.tenant)
        if waiters is None:
            waiters = self._tenants[waiter.tenant] = OrderedDict()
        waiters[waiter] = self._arrivals

    def pop(self, may_go: Callable[[Hashable], bool]) -> Waiter | None:
        """Take out the first waiter of the tenants that may go on, if there is one."""
        first: Waiter | None = None
        earliest = 0
        for tenant, waiters in self._tenants.items():
            if may_go(tenant):
                waiter, arrival = next(iter(waiters.items()))
                if first is None or arrival < earliest:
                    first, earliest = waiter, arrival
        if first is not None:
            self.remove(first)
        return first

    def remove(self, waiter: Waiter) -> bool:
        """Take out a waiter; say whether it was in the queue."""
        waiters = self._tenants.get(waiter.tenant)
        if waiters is None or waiters.pop(waiter, None) is None:
            return False
        self.waiting -= 1
        if not waiters:
            del self._tenants[waiter.tenant]
        return True

    def in_order(self) -> Iterator[Waiter]:
        """Yield all waiters; the queue must not change meanwhile."""
        by_arrival = merge(*(w.items() for w in self._tenants.values()), key=lambda item: item[1])
        return (waiter for waiter, _ in by_arrival)
