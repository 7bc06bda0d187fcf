"""A memory that forgets what was not used for the longest time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class RecentlyUsed(Generic[_Key, _Value]):
    """Keeps `capacity` values, those most recently found or kept."""

    __slots__ = ("_capacity", "_values")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: _Key) -> _Value | None:
        """Return the value, and count it as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def keep(self, key: _Key, value: _Value) -> None:
        """Remember the value; the least recently used goes if there is no room for both."""
        self._values[key] = value
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)
