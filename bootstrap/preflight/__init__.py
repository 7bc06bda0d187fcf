"""What `check` looks at before a first start and after each change; nothing of it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final


class Level(Enum):
    """How bad a finding is, with its mark and its name for programs."""

    OK = ("✓", "ok")
    WARNING = ("!", "warning")
    FAILED = ("✗", "failed")
    """It may pass, such as a server that does not answer."""
    MISCONFIGURED = ("✗", "misconfigured")
    """Nothing but another configuration helps."""

    @property
    def mark(self) -> str:
        """The first character of its line."""
        return self.value[0]

    @property
    def word(self) -> str:
        """Its name in JSON."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: what it belongs to, such as "NATS".
        text: what was found and, unless all is well, what to do; holds no secret.
    """

    level: Level
    topic: str
    text: str


@final
class Findings:
    """Gathers findings in the order in which they are made."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def ok(self, topic: str, text: str) -> None:
        """Add what is as it must be."""
        self._add(Level.OK, topic, text)

    def warn(self, topic: str, text: str) -> None:
        """Add what a person is to know."""
        self._add(Level.WARNING, topic, text)

    def failed(self, topic: str, text: str) -> None:
        """Add what keeps the service from working just now."""
        self._add(Level.FAILED, topic, text)

    def misconfigured(self, topic: str, *texts: object) -> None:
        """Add what must be put right in the configuration, one finding for each text."""
        for text in texts:
            self._add(Level.MISCONFIGURED, topic, str(text))

    def _add(self, level: Level, topic: str, text: str) -> None:
        self.found.append(Finding(level, topic, text))

    @property
    def exit_code(self) -> int:
        """2 if something is misconfigured, else 1 if something failed, else 0."""
        levels = {finding.level for finding in self.found}
        if Level.MISCONFIGURED in levels:
            return 2
        return int(Level.FAILED in levels)
