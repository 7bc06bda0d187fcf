"""The one look of tables: a line below the headings, and no other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | Text

_UNFOLDED = 100_000


def new_table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Iterable[int] = ()
) -> Table:
    """Lay out rows below headings, with a blank line between rows where a cell has several lines.

    Args:
        columns: the headings, in lower case.
        rows: the cells, as they are: brackets in them are no markup.
        right: the columns that hold numbers.
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    several = any("\n" in cell.plain for row in cells for cell in row)
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, safe_box=True, show_lines=several
    )
    numbers = set(right)
    for number, column in enumerate(columns):
        is_number = number in numbers
        table.add_column(
            column, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    for row in cells:
        table.add_row(*row)
    return table


def print_table(table: Table) -> None:
    """Write a table to standard output.

    What is no terminal gets each row unfolded, with no space at its end.
    """
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    console.width = _UNFOLDED
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
