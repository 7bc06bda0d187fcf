"""What the commands write on a terminal, so that nothing in it can steer the terminal.

Names, advice and values come from peers, stores and files. An escape sequence in them could move
the cursor over what was written before, set the clipboard or answer in the operator's place; a
bidirectional control could show one name as another.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from ports.clock import Clock


Advance: TypeAlias = "Callable[[int], None]"
"""Is called with how much was just done."""

QUIET_SECONDS: Final = 0.5
"""Work that is done by then shows nothing."""

_UNFOLDED: Final = 100_000

NOT_RAW: Final = (
    "The value is not written raw to a terminal, which may obey it; pipe it into a file."
)


def printable(text: str) -> str:
    r"""Return foreign text on one line: what is no plain character is written out, as \x1b.

    That are control characters, line ends, formatting characters that show nothing, spaces other
    than the usual one, and whatever Unicode has not assigned.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def lines(text: str) -> str:
    """Return text whose line ends are this program's own, each line as `printable` has it."""
    return "\n".join(map(printable, text.split("\n")))


def is_plain(value: str) -> bool:
    """Say whether a secret's value may be shown as it is: lines of plain characters and tabs."""
    return all(line.replace("\t", "").isprintable() for line in value.split("\n"))


def may_be_shown_raw(value: str | bytes) -> bool:
    """Say whether a value's exact bytes may be written: to a terminal only plain ones."""
    if not sys.stdout.isatty():
        return True
    try:
        return is_plain(value if isinstance(value, str) else value.decode())
    except UnicodeDecodeError:
        return False


def is_attended() -> bool:
    """Say whether a person sees all that a command writes: nothing of it is piped."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def say(text: str | Text, *, style: str = "") -> None:
    """Write lines to standard output."""
    _write(text, style)


def warn(text: str, *, style: str = "") -> None:
    """Write lines to standard error."""
    _write(text, style, stderr=True)


def write(text: str) -> None:
    """Write lines to standard output as a file gets them: never folded, coloured or ended."""
    sys.stdout.write(lines(text))
    sys.stdout.flush()


def write_json(document: object) -> None:
    """Write one JSON document on a line of its own, for a program to read."""
    write(json.dumps(document) + "\n")


def write_stored(line: bytes) -> None:
    """Write one line of JSON to standard output byte for byte, as it is stored.

    On a terminal only if nothing in it can steer the terminal; otherwise escaped, as JSON allows.
    """
    if sys.stdout.isatty() and not line.decode("utf-8", "replace").isprintable():
        line = json.dumps(json.loads(line)).encode()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()
) -> None:
    """Write a table to standard output; what is no terminal gets each row unfolded.

    Args:
        columns: the headings, in lower case.
        rows: the cells; one may have several lines.
        right: the columns that hold numbers.
    """
    from rich.console import Console

    table = new_table(columns, ([lines(cell) for cell in row] for row in rows), right=right)
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    console.width = _UNFOLDED
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def new_table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Iterable[int] = ()
) -> Table:
    """Lay out a table with a line below the headings and no other; arguments as `show_table`.

    A blank line stands between rows where a cell has several lines. Brackets are no markup.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

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


@contextmanager
def progress(
    what: str, total: int | None = None, *, as_json: bool = False, clock: Clock | None = None
) -> Iterator[Advance]:
    """Show how far the work inside is; what is entered is called with how much was just done.

    Nothing is shown where a program reads the output (`as_json`), or where standard output or
    standard error is no terminal.

    Args:
        what: what is counted, such as "events read".
        total: how many there are; None where that is not known.
    """
    if as_json or not is_attended():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from adapters.system.clock import SystemClock

    clock = clock or SystemClock()
    bar = Progress(
        SpinnerColumn() if total is None else BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=total)
    due = clock.monotonic() + QUIET_SECONDS

    def advance(count: int) -> None:
        bar.advance(task, count)
        if not bar.live.is_started and clock.monotonic() >= due:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()


def _write(text: str | Text, style: str, *, stderr: bool = False) -> None:
    from rich.console import Console
    from rich.text import Text

    shown = Text(lines(text)) if isinstance(text, str) else text
    Console(stderr=stderr).print(shown, soft_wrap=True, highlight=False, style=style)
