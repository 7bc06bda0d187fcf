"""`make test`: every test with coverage, said beforehand, one progress bar at a time.

A failure keeps nothing from running: the other tests and the coverage report follow, and the last
lines name what failed. Tests with real servers that failed are run once more, alone: docs/adr/0121.
Exit codes: 0 all passed, 1 something did not, 130 interrupted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

OK, FAILED, INTERRUPTED = 0, 1, 130

SPREAD = ("--numprocesses=2", "--dist=worksteal")

_WAITING = ("tests/integration/faults", "tests/integration/workers")


@dataclass(frozen=True, slots=True)
class Group:
    """Tests that one call of pytest runs.

    Attributes:
        title: what they are, as the heading says it.
        minutes: how long they take on two idle cores.
        arguments: pytest's.
        spread: they need no server, so that two processes share them out (pytest-xdist).
            Others wait for real servers and processes, and a machine that is busy with other things
            may keep these from being in time.
    """

    title: str
    minutes: int
    arguments: tuple[str, ...]
    spread: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """The module that runs them, with its arguments; coverage goes to a file of its own."""
        if self.spread:
            return ("pytest", *SPREAD, "--cov", "--cov-report=", *self.arguments)
        return ("coverage", "run", "-m", "pytest", *self._remembering, *self.arguments)

    @property
    def again(self) -> tuple[str, ...]:
        """The same for the tests that failed, each named as it runs."""
        failed = ("--verbose", "--last-failed", "--last-failed-no-failures=none")
        return ("coverage", "run", "-m", "pytest", *failed, *self._remembering, *self.arguments)

    @property
    def _remembering(self) -> tuple[str, ...]:
        """Where pytest writes down what failed: groups that run side by side share no file."""
        return ("-o", f"cache_dir=.pytest_cache/{self.title.split()[0].lower()}")


# The groups of one stage run side by side: most of their time both wait, for servers to be found
# dead or to come back.
STAGES = (
    (
        Group(
            "Unit tests and adversarial input, no network",
            3,
            ("tests/unit", "tests/adversarial"),
            spread=True,
        ),
    ),
    (
        Group("Faults and worker processes", 6, _WAITING),
        Group(
            "All other integration tests, with a real nats-server",
            20,
            ("tests/integration", *(f"--ignore={folder}" for folder in _WAITING)),
        ),
    ),
)

COVERAGE = (
    ("combine", "--append", "--quiet"),
    ("report", "--include=domain/*", "--fail-under=100"),
    ("report", "--fail-under=90"),
)


class Running(Protocol):
    """A process that was started."""

    def wait(self) -> int:
        """Return its exit code once it has ended."""
        ...


def spawn(arguments: Sequence[str], output: IO[str] | None) -> Running:
    """Start `python -m …`; its output goes to the file, or to where this process's goes."""
    return subprocess.Popen(  # noqa: S603  the arguments are constants of this module
        [sys.executable, "-m", *arguments],
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        text=True,
    )


def run(
    stages: Sequence[Sequence[Group]],
    start: Callable[[Sequence[str], IO[str] | None], Running],
    output: TextIO,
) -> int:
    """Run the stages one after the other and the coverage reports; return the exit code."""
    _say(output, _plan(stages))
    failed: list[str] = []
    start(("coverage", "erase"), None).wait()
    for stage in stages:
        failed += _run_stage(stage, start, output)
    _say(output, "Coverage")
    for arguments in COVERAGE:
        if start(("coverage", *arguments), None).wait() != OK:
            failed.append(f"coverage {' '.join(arguments)}")
    _say(output, "".join(f"Failed: {name}\n" for name in failed) or "All passed.\n")
    return FAILED if failed else OK


def _plan(stages: Sequence[Sequence[Group]]) -> str:
    minutes = sum(max(group.minutes for group in stage) for stage in stages)
    lines = [f"This takes about {minutes} minutes on two idle cores:"]
    for stage in stages:
        together = ", side by side with:" if len(stage) > 1 else ""
        lines += [f"  - {stage[0].title}{together}"]
        lines += [f"    {group.title}" for group in stage[1:]]
    return "\n".join((*lines, "  - Coverage, also after a failure", ""))


def _run_stage(
    stage: Sequence[Group],
    start: Callable[[Sequence[str], IO[str] | None], Running],
    output: TextIO,
) -> list[str]:
    """Show the first group as it runs and the others once they have ended; return what failed."""
    failed: list[Group] = []
    with ExitStack() as opened:
        outputs: list[IO[str] | None] = [None]
        outputs += [opened.enter_context(TemporaryFile("w+")) for _ in stage[1:]]
        _say(output, stage[0].title)
        running = [
            start(group.command, written) for group, written in zip(stage, outputs, strict=True)
        ]
        for group, process, written in zip(stage, running, outputs, strict=True):
            if written is not None:
                _say(output, f"{group.title}, side by side with the above")
            code = process.wait()
            if written is not None:
                written.seek(0)
                shutil.copyfileobj(written, output)
            if code != OK:
                failed.append(group)
    return [group.title for group in failed if group.spread or not _passes(group, start, output)]


def _passes(
    group: Group, start: Callable[[Sequence[str], IO[str] | None], Running], output: TextIO
) -> bool:
    """Run what failed once more, with the machine to itself, and say whether it passes now."""
    _say(output, f"{group.title}: what failed is run once more, alone")
    passed = start(group.again, None).wait() == OK
    if passed:
        _say(
            output,
            "Passed the second time only: a busy machine, or a test that waits too briefly.",
        )
    return passed


def _say(output: TextIO, text: str) -> None:
    output.write(f"\n{text}\n")
    output.flush()


if __name__ == "__main__":
    try:
        sys.exit(run(STAGES, spawn, sys.stdout))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
