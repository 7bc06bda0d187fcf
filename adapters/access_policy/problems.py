"""What is wrong with an access policy file, for the person who wrote it.

Some characters a policy file may not hold, since it would be read otherwise than it is shown: YAML
ends lines, and so comments, at more characters than editors and `git diff` do; bidirectional
controls show a text in another order; others show nothing at all.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TOLD = 20
_STRAYS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_NONCHARACTERS = "\ufffe\uffff"


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing to correct. Holds names that the file gives its rules, but no key and no value.

    Attributes:
        line: counted from 1; 0 for the file as a whole.
        place: the member it is about, such as `grants[2] "billing": entities[0].issuer`, or "".
        advice: what is wrong and what to do.
        column: counted from 1, in characters; 0 for the line as a whole.
    """

    line: int
    place: str
    advice: str
    column: int = 0

    @override
    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        column = f", column {self.column}" if self.column else ""
        return ": ".join(part for part in (line + column, self.place, self.advice) if part)


class AccessPolicyError(Exception):
    """The file cannot be used."""

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda found: (found.line, found.column)))
        super().__init__("; ".join(map(str, self.problems)))


class UnreadablePolicyError(AccessPolicyError):
    """There is no such file, or it cannot be read: its rules are not known."""


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
