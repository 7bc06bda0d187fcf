"""Progress of long work: seen on a terminal, never in a pipe or beside JSON."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from bootstrap.cli.terminal import QUIET_SECONDS, progress
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable


class Terminal(io.StringIO):
    """Says that a person looks at it."""

    @override
    def isatty(self) -> bool:
        return True


class Streams:
    """Standard output and standard error, each a terminal or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, out: io.StringIO, err: io.StringIO) -> None:
        self.out, self.err = out, err
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        monkeypatch.setenv("TERM", "xterm-256color")


def work(clock: FakeClock, pauses: Iterable[float], *, as_json: bool = False) -> None:
    with progress("events read", 10, as_json=as_json, clock=clock) as advance:
        for pause in pauses:
            clock.advance(pause)
            advance(1)


def test_long_work_shows_how_far_it_is_and_clears_that_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = Streams(monkeypatch, Terminal(), Terminal())

    work(FakeClock(), [0.3] * 10)

    shown = streams.err.getvalue()
    assert "events read" in shown
    assert "10/10" in shown
    assert shown.endswith("\x1b[2K"), "the last line is erased"
    assert streams.out.getvalue() == ""


def test_work_that_is_soon_done_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(monkeypatch, Terminal(), Terminal())

    work(FakeClock(), [QUIET_SECONDS / 100] * 10)

    assert streams.err.getvalue() == ""


@pytest.mark.parametrize(
    ("out", "err", "as_json"),
    [
        (io.StringIO, Terminal, False),
        (Terminal, io.StringIO, False),
        (Terminal, Terminal, True),
    ],
    ids=["output piped", "errors piped", "JSON"],
)
def test_what_a_program_reads_has_no_progress_in_it(
    monkeypatch: pytest.MonkeyPatch,
    out: type[io.StringIO],
    err: type[io.StringIO],
    as_json: bool,
) -> None:
    streams = Streams(monkeypatch, out(), err())

    work(FakeClock(), [0.3] * 10, as_json=as_json)

    assert streams.err.getvalue() == streams.out.getvalue() == ""


def test_work_that_fails_clears_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(monkeypatch, Terminal(), Terminal())

    def failing() -> Iterable[float]:
        yield from [0.3] * 3
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(FakeClock(), failing())

    assert "\x1b[?25h" in streams.err.getvalue(), "the cursor is shown again"
