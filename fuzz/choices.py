"""Decisions drawn from bytes, so that a fuzzer that changes bytes changes decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_Item = TypeVar("_Item")

_ONE_BYTE = 0x100


class Choices:
    """Reads bytes from front to back; past their end every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = 0

    def below(self, count: int) -> int:
        """Choose a number from 0 to `count` - 1."""
        width = 1 if count <= _ONE_BYTE else 4
        chosen = int.from_bytes(self.take(width), "big")
        return chosen % count

    def once_in(self, count: int) -> bool:
        """Say yes about once in `count` times, and never past the bytes' end."""
        return self.below(count) == count - 1

    def of(self, items: Sequence[_Item]) -> _Item:
        """Choose one of the items."""
        return items[self.below(len(items))]

    def take(self, count: int) -> bytes:
        """Take up to so many bytes as they are."""
        taken = self._data[self._next : self._next + count]
        self._next += count
        return taken
