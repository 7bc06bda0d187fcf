"""What `UpstreamHttp` needs of admission control: one slot for each attempt."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from adapters.upstream.engine import TransportError
    from adapters.upstream.message import UpstreamResponse


class Grant(Protocol):
    """Admission of one attempt; it learns how the attempt ended."""

    @abstractmethod
    def answered(self, response: UpstreamResponse) -> None:
        """Learn the server's limits from its response."""

    @abstractmethod
    def failed(self, error: TransportError) -> None:
        """Note that there was no usable response."""


class Slot(Protocol):
    """Makes a context that admits one attempt: entering it waits, or raises RateLimited."""

    @abstractmethod
    def __call__(self) -> AbstractAsyncContextManager[Grant | None]: ...
