"""Names for requests, to find them again."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class RequestIds(Protocol):
    """Draws request ids."""

    @abstractmethod
    def next(self) -> str:
        """Return a short id that no other request on any replica has; safe to show anybody."""
        ...
