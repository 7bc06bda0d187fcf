"""What the demo shows: headings, facts and tables that fit 80 columns, in ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

_NARROW, _WIDE = 80, 100
_BYTES_PER_LINE = 8


class DemoReport:
    """Writes to standard output, with or without a terminal.

    Args:
        console: by default one of 80 to 100 columns on standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _default_console()
        self._headings = 0

    def title(self, text: str, explanation: str) -> None:
        """Begin."""
        self._console.print(Text(text, style="bold"))
        self._console.print(Text(explanation, style="dim"))

    def heading(self, text: str) -> None:
        """Begin the next numbered part."""
        self._headings += 1
        self._console.print()
        self._console.print(Text(f"{self._headings}. {text}", style="bold cyan"))

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show names and what they stand for."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, fact in rows:
            grid.add_row(Text(name), Text(fact))
        self._indented(grid)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> None:
        """Show rows below column names; the last `right` columns are numbers."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, safe_box=True)
        for number, column in enumerate(columns):
            is_number = number >= len(columns) - right
            table.add_column(
                column,
                justify="right" if is_number else "left",
                overflow="fold",
                no_wrap=number == 0 or is_number,
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._indented(table)

    def side_by_side(self, rows: Iterable[tuple[str, bytes, str]]) -> None:
        """Show sealed bytes in hex beside what they are when opened.

        Args:
            rows: what it is, the sealed bytes, the opened text.
        """
        table = Table(box=ASCII2, show_lines=True)
        table.add_column("")
        table.add_column("sealed, on the wire", no_wrap=True)
        table.add_column("opened", overflow="fold")
        for name, sealed, opened in rows:
            lines = opened.count("\n") + 1
            table.add_row(Text(name), Text(_hex_lines(sealed, lines), "red"), Text(opened, "green"))
        self._indented(table)

    def conclusion(self, text: str) -> None:
        """End well."""
        self._console.print()
        self._console.print(Text(text, style="bold green"))

    def line(self, text: str) -> None:
        """Show one sentence."""
        self._console.print(Text(text))

    def _indented(self, what: RenderableType) -> None:
        self._console.print(Padding(what, (0, 0, 0, 2), expand=False))


def _hex_lines(data: bytes, count: int) -> str:
    """Write the first bytes over so many lines, the last of them telling how many remain."""
    shown = data[: (count - 1) * _BYTES_PER_LINE]
    lines = [
        shown[start : start + _BYTES_PER_LINE].hex(" ")
        for start in range(0, len(shown), _BYTES_PER_LINE)
    ]
    return "\n".join([*lines, f"... {len(data)} bytes in all"])


def _default_console() -> Console:
    console = Console(highlight=False)
    width = console.width if console.is_terminal else _NARROW
    console.width = min(max(width, _NARROW), _WIDE)
    return console
