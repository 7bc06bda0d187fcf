"""A store check that ends as a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ports.store_check import StoreCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ports.store_check import StoreMisconfiguredError, StoreUnreachableError


class FakeStoreCheck(StoreCheck):
    """Ends its calls with the given results in turn, the last one from then on.

    Attributes:
        calls: how often it was asked.
    """

    def __init__(
        self, results: Iterable[StoreMisconfiguredError | StoreUnreachableError | None] = (None,)
    ) -> None:
        self._results = list(results)
        self.calls = 0

    @override
    async def check(self) -> None:
        result = self._results[min(self.calls, len(self._results) - 1)]
        self.calls += 1
        if result is not None:
            raise result
