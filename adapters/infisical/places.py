"""The places for reads under way, shared so that no folder can take them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


def may_take(held: int, free: int) -> bool:
    """Say whether a folder that holds so many places may take another of those that are free."""
    return held < free


class Places:
    """A folder may take a place only while it holds fewer than are free.

    So one whose reads all hang holds half of the places at most, a second one half of what is left,
    and so on: many folders have to hang before another finds nothing free.
    """

    def __init__(self, number: int) -> None:
        self._number = self._free = number
        self._held: dict[Hashable, int] = {}

    @property
    def number(self) -> int:
        """All places."""
        return self._number

    @property
    def free(self) -> int:
        """Places nobody holds."""
        return self._free

    @property
    def share(self) -> int:
        """Places that one folder may hold if no other holds any."""
        return (self._number + 1) // 2

    @property
    def taken(self) -> int:
        """Places held."""
        return sum(self._held.values())

    def may_take(self, folder: Hashable) -> bool:
        """Say whether a read in this folder may begin."""
        return may_take(self._held.get(folder, 0), self._free)

    def take(self, folder: Hashable) -> None:
        """Begin a read; `may_take` must hold."""
        self._free -= 1
        self._held[folder] = self._held.get(folder, 0) + 1

    def give_back(self, folder: Hashable) -> None:
        """End a read."""
        self._free += 1
        self._held[folder] -= 1
        if not self._held[folder]:
            del self._held[folder]
