"""What `make test` prints and in which order, and what it ends with."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from tools.run_tests import FAILED, OK, Group, run

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICK = Group("Quick tests", 1, ("tests/quick",), spread=True)
SLOW = Group("Slow tests", 5, ("tests/slow",))
OTHER = Group("Other tests", 3, ("tests/other",))
STAGES = ((QUICK,), (SLOW, OTHER))


class Processes:
    """Starts what ends at once: it writes its last argument, and fails if that is told to.

    Args:
        recovers: whether what failed passes when it is run again.
    """

    def __init__(self, output: io.StringIO, *failing: str, recovers: bool = False) -> None:
        self.started: list[str] = []
        self._output = output
        self._failing = failing
        self._recovers = recovers

    def start(self, arguments: Sequence[str], output: IO[str] | None) -> Ended:
        self.started.append(" ".join(arguments))
        (output or self._output).write(f"<{arguments[-1]}>\n")
        passes = arguments[-1] not in self._failing
        return Ended(OK if passes or (self._recovers and "--last-failed" in arguments) else FAILED)


class Ended:
    def __init__(self, code: int) -> None:
        self._code = code

    def wait(self) -> int:
        return self._code


def play(*failing: str, recovers: bool = False) -> tuple[int, str, list[str]]:
    output = io.StringIO()
    processes = Processes(output, *failing, recovers=recovers)
    code = run(STAGES, processes.start, output)
    return code, output.getvalue(), processes.started


def test_it_says_first_what_it_runs_and_how_long_that_takes() -> None:
    _, text, _ = play()

    first = text[: text.index("<")]
    assert "about 6 minutes" in first
    assert all(group.title in first for group in (QUICK, SLOW, OTHER))


def test_output_of_tests_that_run_side_by_side_is_not_interleaved() -> None:
    _, text, started = play()

    slow, other = (
        next(number for number, each in enumerate(started) if each.endswith(f" {folder}"))
        for folder in ("tests/slow", "tests/other")
    )
    assert other == slow + 1
    assert text.index("<tests/slow>") < text.rindex(OTHER.title) < text.index("<tests/other>")


def test_all_passed_is_said_and_ends_with_0() -> None:
    code, text, _ = play()

    assert code == OK
    assert text.rstrip().endswith("All passed.")


def test_after_a_failure_the_other_tests_and_the_coverage_report_still_run() -> None:
    code, text, started = play("tests/quick", "tests/other")

    assert code == FAILED
    assert {*started} > {*play()[2]}
    assert started[-1].startswith("coverage report")
    assert text.rstrip().endswith("Failed: Quick tests\nFailed: Other tests")


def test_tests_with_servers_that_failed_are_run_once_more_when_all_others_have_ended() -> None:
    code, text, started = play("tests/slow", recovers=True)

    again = [number for number, each in enumerate(started) if "--last-failed" in each.split()]
    assert len(again) == 1
    assert started[again[0]].endswith(" tests/slow")
    assert started[again[0] - 1].endswith(" tests/other")
    assert code == OK
    assert "Passed the second time only" in text


def test_what_fails_twice_fails_the_run_and_tests_without_a_server_get_no_second_try() -> None:
    assert play("tests/slow")[0] == FAILED
    code, _, started = play("tests/quick", recovers=True)

    assert code == FAILED
    assert not any("--last-failed" in each.split() for each in started)


def test_too_little_coverage_is_a_failure_that_is_named() -> None:
    code, text, _ = play("--fail-under=90")

    assert code == FAILED
    assert "Failed: coverage report --fail-under=90" in text


def test_tests_without_a_server_are_shared_out_and_add_to_the_same_coverage() -> None:
    _, _, started = play()

    assert started[1].startswith("pytest --numprocesses=2")
    assert "--cov" in started[1].split()
    assert "coverage combine --append --quiet" in started
