"""How far long work is, on a terminal only: on standard error, and gone once the work is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from adapters.system.clock import SystemClock
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

    Nothing is shown with `as_json`, or where standard output or standard error is no terminal.

    Args:
        what: what is counted, such as "events read".
        total: how many there are; None where that is not known.
        as_json: a program reads the output.
    """
    if as_json or not is_attended():
        yield _nothing
        return
    with _Shown(what, total, clock or SystemClock()) as shown:
        yield shown.advance


def _nothing(_: int) -> None:
    """Show nothing."""


class _Shown:
    """A bar, or a turning sign where no total is known, from half a second on."""

    def __init__(self, what: str, total: int | None, clock: Clock) -> None:
        counted = BarColumn() if total is not None else SpinnerColumn()
        self._bar = Progress(
            counted,
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=total)
        self._clock = clock
        self._due: float | None = clock.monotonic() + QUIET_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, count: int) -> None:
        self._bar.advance(self._task, count)
        if self._due is not None and self._clock.monotonic() >= self._due:
            self._due = None
            self._bar.start()
