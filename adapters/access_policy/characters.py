"""Characters that a policy file may not hold, since it would be read otherwise than it is shown.

YAML ends lines, and so comments, at more characters than editors and `git diff` do; bidirectional
controls show a text in another order; others show nothing at all.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from adapters.access_policy.problems import PolicyProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TOLD = 20

_STRAYS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_NONCHARACTERS = "\ufffe\uffff"


def stray_characters(text: str) -> list[PolicyProblem]:
    """Return a problem for each such character, or for the first `MAX_TOLD` of them."""
    problems: list[PolicyProblem] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        # "\r\n" ends a line everywhere; a "\r" alone does so in YAML only.
        shown = line if number == len(lines) else line.removesuffix("\r")
        for column, char in _strays(shown):
            problems.append(PolicyProblem(number, "", f"{_described(char)}; remove it", column))
            if len(problems) == MAX_TOLD:
                return problems
    return problems


def _strays(line: str) -> Iterator[tuple[int, str]]:
    if line.isprintable():
        return iter(())
    return ((column, char) for column, char in enumerate(line, start=1) if is_stray(char))


def is_stray(char: str) -> bool:
    """Say whether it is a control or formatting character, a line end or an unusual space."""
    if char in "\t ":
        return False
    return unicodedata.category(char) in _STRAYS or char in _NONCHARACTERS


def _described(char: str) -> str:
    """Say which character stands there, and why that is a problem."""
    name = f"U+{ord(char):04X} ({unicodedata.name(char, 'a control character')}) stands here"
    match unicodedata.bidirectional(char), unicodedata.category(char):
        case ("LRE" | "RLE" | "LRO" | "RLO" | "PDF" | "LRI" | "RLI" | "FSI" | "PDI", _):
            return f"{name}, which shows text in another order than it is read in"
        case (_, "Zl" | "Zp") | ("B", _):
            return f"{name}, which ends a line, and with it a comment, where editors may show none"
        case (_, "Zs"):
            return f"{name}, which looks like a space and is none"
        case _:
            return f"{name}, which is not shown as what it is"
