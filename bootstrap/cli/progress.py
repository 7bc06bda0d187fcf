"""How far long work is, on a terminal only: on standard error, and gone once the work is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from bootstrap.cli.terminal import is_attended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ports.clock import Clock


Advance: TypeAlias = "Callable[[int], None]"
"""Is called with how much was just done."""

QUIET_SECONDS: Final = 0.5
"""Work that is done by then shows nothing."""


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
