"""The bar that `progress` shows on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

if TYPE_CHECKING:
    from ports.clock import Clock

QUIET_SECONDS: Final = 0.5
"""Work that is done by then shows nothing."""


class ProgressBar:
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
