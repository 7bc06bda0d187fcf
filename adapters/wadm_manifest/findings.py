"""What a check of manifests found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_SHOWN = 64
"""Longer names are not repeated: they may be something pasted by accident."""


class Level(StrEnum):
    """Error: the start fails, wadm refuses, or another value is served than the one written."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend in one file.

    Attributes:
        line: counted from 1.
        place: the member it is about, such as `components[0] "shop": properties.secrets[1]`.
        code: a constant snake_case name of the kind of finding.
        advice: what happens and what to do.
    """

    line: int
    place: str
    code: str
    level: Level
    advice: str


class ManifestUnreadableError(Exception):
    """The file is no YAML at all; the text says where and holds nothing of it."""


@dataclass(slots=True)
class Findings:
    """Collects what is found in one file."""

    all: list[Finding] = field(default_factory=list)

    def error(self, line: int, place: str, code: str, advice: str) -> None:
        """Note an error."""
        self.all.append(Finding(line, place, code, Level.ERROR, advice))

    def warning(self, line: int, place: str, code: str, advice: str) -> None:
        """Note a warning."""
        self.all.append(Finding(line, place, code, Level.WARNING, advice))


def shown(name: str) -> str:
    """Return a name between quotes as a finding may repeat it."""
    return f'"{name}"' if 0 < len(name) <= MAX_SHOWN and name.isprintable() else '"…"'
