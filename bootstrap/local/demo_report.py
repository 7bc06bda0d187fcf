"""What the demo shows: headings, facts and tables that fit 80 columns, in ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bootstrap.tables import new_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType


class DemoFailedError(Exception):
    """Something is not as the demo says; the text tells what."""


def check(claim: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as `assert` does
    """Hold one claim against what happened.

    Raises:
        DemoFailedError: it does not hold.
    """
    if not claim:
        raise DemoFailedError(otherwise)


_NARROW, _WIDE = 80, 100
_BYTES_PER_LINE = 8


class DemoReport:
    """Writes to standard output, with or without a terminal. `console`: by default one of 80 to 100
    columns on standard output.
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
        numbers = range(len(columns) - right, len(columns))
        self._indented(new_table(columns, rows, right=numbers))

    def side_by_side(self, rows: Iterable[tuple[str, bytes, str]]) -> None:
        """Show sealed bytes in hex beside what they are when opened. `rows`: what it is, the sealed
        bytes, the opened text.
        """
        cells = [
            (name, Text(_hex_lines(sealed, opened.count("\n") + 1), "red"), Text(opened, "green"))
            for name, sealed, opened in rows
        ]
        self._console.print()
        self._indented(new_table(("", "sealed, on the wire", "opened"), cells))

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
