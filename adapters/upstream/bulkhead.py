"""The bulkhead: calls in flight, shared so that no tenant can hold all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Hashable


@final
class Bulkhead:
    """A tenant may begin a call only while it has fewer in flight than are left free.

    So a tenant whose calls all hang holds half of the bulkhead at most, a second one half of what
    is left, and so on (dynamic threshold): many tenants have to hang before another finds it full.
    """

    def __init__(self, size: int) -> None:
        """Take how many calls may be in flight, from 1 up."""
        self.size = size
        self.free = size
        self._held: dict[Hashable, int] = {}

    @property
    def share(self) -> int:
        """Calls that one tenant may have in flight if no other has any."""
        return (self.size + 1) // 2

    @property
    def in_flight(self) -> int:
        """Calls in flight."""
        return self.size - self.free

    def may_begin(self, tenant: Hashable) -> bool:
        """Say whether a call of this tenant may begin."""
        return self._held.get(tenant, 0) < self.free

    def begin(self, tenant: Hashable) -> None:
        """Begin a call; `may_begin` must hold."""
        self.free -= 1
        self._held[tenant] = self._held.get(tenant, 0) + 1

    def end(self, tenant: Hashable) -> None:
        """End a call."""
        self.free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
