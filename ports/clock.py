"""Time, so that tests hold it in their hand."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class Clock(Protocol):
    """The only source of time for the core and the adapters."""

    @abstractmethod
    def now(self) -> float:
        """Return seconds since the epoch; it may jump."""

    @abstractmethod
    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never goes back."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""

    @abstractmethod
    def timeout_at(self, deadline: float) -> AbstractAsyncContextManager[object]:
        """Bound a block to a deadline in monotonic seconds.

        A block still running then is cancelled and leaves with TimeoutError; a cancellation from
        outside passes through as it is.
        """
