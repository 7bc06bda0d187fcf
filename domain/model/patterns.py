"""Patterns in access rules: for paths of secrets, and for names and tags.

Both compare code point by code point: no case folding, no Unicode normalisation, no decoding. What
they are compared with is already in its one canonical form. The work of a comparison grows with the
length of what is compared, never with a power of it.
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


MAX_PATTERN_LENGTH = 1024
MAX_PATTERN_PARTS = 32
MAX_DEEP_WILDCARDS = 3

_DEEP = "**"


class InvalidPatternError(ValueError):
    """The pattern can match nothing, or is not clear. The text says how to write it."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern on a canonical path such as `/payments/API_KEY`.

    `*` stands for anything within one part, `**` as a whole part for one or more parts.

    Raises:
        InvalidPatternError: not absolute, with an empty, "." or ".." part, or "**" beside text.
    """

    text: str
    _parts: tuple[Glob, ...] = field(init=False, repr=False, compare=False)
    _head: str = field(init=False, repr=False, compare=False)
    _rest: Glob = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = self.text.removeprefix("/").split("/")
        if not self.text.startswith("/") or len(self.text) > MAX_PATTERN_LENGTH:
            raise InvalidPatternError(
                f'begin it with "/" and keep it under {MAX_PATTERN_LENGTH} characters'
            )
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise InvalidPatternError(
                'write plain parts between single slashes, without ".", ".." or a trailing slash'
            )
        if any(_DEEP in part and part != _DEEP for part in parts):
            raise InvalidPatternError('"**" must be a whole part; "*" matches within one')
        if parts.count(_DEEP) > MAX_DEEP_WILDCARDS or len(parts) > MAX_PATTERN_PARTS:
            raise InvalidPatternError(
                f'use "**" at most {MAX_DEEP_WILDCARDS} times, in at most {MAX_PATTERN_PARTS} parts'
            )
        object.__setattr__(self, "_parts", tuple(map(Glob, parts)))
        # What stands before the first wildcard, and the rest: most patterns differ from a path in
        # the one, or have wildcards in their last part only.
        head = self.text.partition("*")[0]
        object.__setattr__(self, "_head", head)
        object.__setattr__(self, "_rest", Glob(self.text[len(head) :]))

    @property
    def is_exact(self) -> bool:
        """Whether it means one path and no other."""
        return "*" not in self.text

    @property
    def folder(self) -> str:
        """The deepest folder that every path meant lies in, with its slash at the end."""
        return self._head[: self._head.rindex("/") + 1]

    def matches(self, path: str) -> bool:
        """Say whether a canonical path is one of those meant."""
        head = self._head
        if len(head) == len(self.text):
            return path == head
        if not path.startswith(head):
            return False
        rest, tail = self._rest.text, path[len(head) :]
        if rest == _DEEP:
            return _is_below(tail)
        if "/" not in rest:
            return "/" not in tail and self._rest.matches(tail)
        parts = path.split("/")
        if _DEEP in rest:
            return self._reaches_end(parts)
        # The first part of the path is the empty one before its slash.
        return len(parts) == len(self._parts) + 1 and all(
            pattern.matches(part) for pattern, part in zip(self._parts, parts[1:], strict=True)
        )

    def _reaches_end(self, parts: list[str]) -> bool:
        # How many parts of the path the pattern's parts so far can have taken up.
        taken = {1}
        for pattern in self._parts:
            if pattern.text == _DEEP:
                taken = _extended(taken, parts)
            else:
                taken = {n + 1 for n in taken if n < len(parts) and pattern.matches(parts[n])}
            if not taken:
                return False
        return len(parts) in taken


def _is_below(rest: str) -> bool:
    """Say whether one or more parts, none of them empty, follow a slash."""
    return bool(rest) and rest[0] != "/" and rest[-1] != "/" and "//" not in rest


def _extended(taken: set[int], parts: list[str]) -> set[int]:
    """Return how far `**` can lead: one or more parts, none of them empty."""
    reached: set[int] = set()
    for n in range(min(taken), len(parts)):
        if parts[n] and (n in taken or n in reached):
            reached.add(n + 1)
    return reached


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern on a name or tag, where `*` stands for any text."""

    text: str
    _glob: Glob = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= MAX_PATTERN_LENGTH or "**" in self.text:
            raise InvalidPatternError('write some text, with "*" for any text in its place')
        object.__setattr__(self, "_glob", Glob(self.text))

    @property
    def is_exact(self) -> bool:
        """Whether it means one text and no other."""
        return "*" not in self.text

    def matches(self, text: str) -> bool:
        """Say whether the text is one of those meant."""
        return self._glob.matches(text)
