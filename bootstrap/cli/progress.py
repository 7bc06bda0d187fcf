"""How far long work is, on a terminal only: on standard error, and gone once the work is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from bootstrap.cli.terminal import is_attended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ports.clock import Clock

Advance: TypeAlias = "Callable[[int], None]"
"""Is called with how much was just done."""


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
    from adapters.system.clock import SystemClock
    from bootstrap.cli.progress_bar import ProgressBar

    with ProgressBar(what, total, clock or SystemClock()) as shown:
        yield shown.advance


def _nothing(_: int) -> None:
    """Show nothing."""
