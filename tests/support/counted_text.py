"""A text that counts the characters that are looked at: work, measured without a clock."""

from __future__ import annotations

from typing import Any, Self, SupportsIndex

from typing_extensions import override


class Work:
    """How many characters of one text and of its pieces have been looked at."""

    def __init__(self) -> None:
        self.characters = 0


class CountedText(str):
    """Behaves as the text; each operation adds the characters it may have to look at."""

    __slots__ = ("work",)

    work: Work

    def __new__(cls, text: str, work: Work) -> Self:
        """Make one whose work is added up in `work`."""
        made = super().__new__(cls, text)
        made.work = work
        return made

    def _piece(self, text: str) -> CountedText:
        return CountedText(text, self.work)

    @override
    def find(
        self,
        sub: str,
        start: SupportsIndex | None = None,
        end: SupportsIndex | None = None,
        /,
    ) -> int:
        found = super().find(sub, start, end)
        first = 0 if start is None else int(start)
        last = len(self) if end is None else int(end)
        self.work.characters += (last if found < 0 else found + len(sub)) - first
        return found

    @override
    def startswith(self, prefix: Any, *place: Any) -> bool:
        self.work.characters += len(prefix)
        return super().startswith(prefix, *place)

    @override
    def endswith(self, suffix: Any, *place: Any) -> bool:
        self.work.characters += len(suffix)
        return super().endswith(suffix, *place)

    @override
    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        self.work.characters += len(self)
        return [self._piece(piece) for piece in super().split(sep, maxsplit)]

    @override
    def __getitem__(self, place: Any) -> str:
        piece = super().__getitem__(place)
        self.work.characters += len(piece)
        return self._piece(piece)

    @override
    def __contains__(self, text: object) -> bool:
        self.work.characters += len(self)
        return isinstance(text, str) and super().__contains__(text)

    @override
    def __eq__(self, other: object) -> bool:
        self.work.characters += len(self)
        return super().__eq__(other)

    @override
    def __hash__(self) -> int:
        self.work.characters += len(self)
        return super().__hash__()
