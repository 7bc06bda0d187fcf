"""Texts with `*` for any text in its place, compared in linear time.

A regular expression for two or more wildcards backtracks: its time grows with a power of the text's
length, and the text may be a peer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Glob:
    """One text or, with `*`, many.

    The literals between wildcards are each found at their first place after the one before: if
    any choice of places fits, this one does. So no character is passed over twice.
    """

    text: str
    _literals: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _length: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        literals = tuple(self.text.split("*"))
        object.__setattr__(self, "_literals", literals)
        object.__setattr__(self, "_length", sum(map(len, literals)))

    def matches(self, text: str) -> bool:
        """Say whether the text is one of those meant."""
        if len(self._literals) == 1:
            return text == self.text
        first, *between, last = self._literals
        # The two ends must not share characters.
        if len(text) < self._length or not (text.startswith(first) and text.endswith(last)):
            return False
        position, end = len(first), len(text) - len(last)
        for literal in between:
            found = text.find(literal, position, end)
            if found < 0:
                return False
            position = found + len(literal)
        return True
