"""What a change notice acts on: the values that one replica keeps."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.selection import Selection


class CacheInvalidator(Protocol):
    """One replica's kept values."""

    @abstractmethod
    def invalidate(self, selection: Selection) -> int:
        """Forget what is selected and return how many values that were; must not block.

        Calls to the store that are under way must not bring an old value back.
        """
        ...
