"""What is wrong with the configuration, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ports.settings import Problem


class SettingsError(Exception):
    """The service cannot start as configured. Its text lists every problem and no value."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        head = "The configuration needs attention:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in problems)]))
