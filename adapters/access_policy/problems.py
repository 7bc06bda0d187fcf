"""What is wrong with an access policy file, for the person who wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing to mend. Holds names that the file gives its rules, but no key and no value.

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
