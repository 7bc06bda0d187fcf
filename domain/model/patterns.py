"""Patterns in access rules: for paths of secrets, and for names and tags.

Both compare code point by code point: no case folding, no Unicode normalisation, no decoding. What
they are compared with is already in its one canonical form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PATTERN_LENGTH = 1024
MAX_DEEP_WILDCARDS = 3


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
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

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
        if any("**" in part and part != "**" for part in parts):
            raise InvalidPatternError('"**" must be a whole part; "*" matches within one')
        if parts.count("**") > MAX_DEEP_WILDCARDS:
            raise InvalidPatternError(f'use "**" at most {MAX_DEEP_WILDCARDS} times')
        regex = "/".join("[^/]+(?:/[^/]+)*" if p == "**" else _glob(p, "[^/]*") for p in parts)
        object.__setattr__(self, "_regex", re.compile("/" + regex))

    @property
    def is_exact(self) -> bool:
        """Whether it means one path and no other."""
        return "*" not in self.text

    def matches(self, path: str) -> bool:
        """Say whether a canonical path is one of those meant."""
        return self._regex.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A pattern on a name or tag, where `*` stands for any text."""

    text: str
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= MAX_PATTERN_LENGTH or "**" in self.text:
            raise InvalidPatternError('write some text, with "*" for any text in its place')
        object.__setattr__(self, "_regex", re.compile(_glob(self.text, ".*"), re.DOTALL))

    def matches(self, text: str) -> bool:
        """Say whether the text is one of those meant."""
        return self._regex.fullmatch(text) is not None


def _glob(text: str, wildcard: str) -> str:
    return wildcard.join(re.escape(literal) for literal in text.split("*"))
