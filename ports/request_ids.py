"""Names for requests, to find them again."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class RequestIds(Protocol):
    """Draws request ids."""

    @abstractmethod
    def next(self) -> str:
        """Return a short id, unique over all replicas and safe to show to any caller."""
