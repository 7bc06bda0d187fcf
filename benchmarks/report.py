"""What the bench found: rows for people, the same figures as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        measure: what was measured.
        value: the figure with its unit.
        ratio: the figure against something measured in the same run.
    """

    measure: str
    value: str
    ratio: str = ""


@dataclass
class Section:
    """One phase's findings.

    Attributes:
        figures: plain numbers, named with their units.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def print_table(sections: list[Section]) -> None:
    """Print one table."""
    table = Table(title="wasmcloud-secrets, measured in one run", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("ratio", justify="right")
    for section in sections:
        table.add_section()
        table.add_row(f"[bold]{section.title}[/bold]")
        for row in section.rows:
            table.add_row(f"  {row.measure}", row.value, row.ratio)
    # As wide as it must be: what is piped into a file is not to be cut to a terminal's width.
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(table)


def write_json(sections: list[Section], path: Path) -> None:
    """Write the figures, and what they were measured on."""
    document = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "sections": {section.title: section.figures for section in sections},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
