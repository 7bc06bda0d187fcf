"""What is wrong with the configuration, all of it at once."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    Attributes:
        setting: the name, or names, as in the environment.
        advice: what it must be or what to do; never what it is.
    """

    setting: str
    advice: str

    @override
    def __str__(self) -> str:
        return f"{self.setting} {self.advice}"


class SettingsError(Exception):
    """The service cannot start as configured. Its text lists every problem and no value."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        head = "The configuration needs attention:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in problems)]))
