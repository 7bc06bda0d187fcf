"""What is known of the store's health without asking it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class StoreHealth(Protocol):
    """Knows what earlier calls to the store came to."""

    @property
    @abstractmethod
    def is_down(self) -> bool:
        """Whether the store is known to be down, so that waiting for it is likely in vain."""
        ...
