"""`python -m tools.file_lengths`: whether every source file is short enough to hold one idea.

A file has 250 lines at most. Tests that were longer when this check came stand in
`tools/long_tests.txt` with their lengths; these may shrink and not grow, and no file is added.

Exit codes: 0 all are short enough, 1 one is not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OK, TOO_LONG = 0, 1
MAX_LINES: Final = 250
ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = (
    *("domain", "ports", "adapters", "bootstrap", "wasmcloud_secrets", "examples"),
    *("tools", "tests", "benchmarks", "attacks", "fuzz"),
)
LONG_TESTS: Final = Path(__file__).with_name("long_tests.txt")


def lengths(root: Path) -> dict[str, int]:
    """Return the lines of every Python file below the folders, by its path."""
    return {
        path.relative_to(root).as_posix(): len(path.read_text("utf-8").splitlines())
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
    }


def allowed(text: str) -> dict[str, int]:
    """Read `long_tests.txt`: a path and its lines in each row."""
    rows = (row.split() for row in text.splitlines() if row and not row.startswith("#"))
    return {path: int(lines) for path, lines in rows}


def problems(found: Mapping[str, int], longer: Mapping[str, int]) -> Iterator[str]:
    """Yield what is wrong, one line each."""
    for path, lines in found.items():
        bound = longer.get(path, MAX_LINES)
        if lines > bound:
            yield f"{path} has {lines} lines, and may have {bound}: give its second idea a file."
    for path, bound in longer.items():
        if found.get(path, 0) <= MAX_LINES < bound:
            yield f"{path} is short or gone: take it out of tools/long_tests.txt."
        if not path.startswith("tests/"):
            yield f"{path} is no test, so it cannot stand in tools/long_tests.txt."


def main() -> int:
    """Check the tree, print what is wrong, and return the exit code."""
    wrong = list(problems(lengths(ROOT), allowed(LONG_TESTS.read_text("utf-8"))))
    sys.stdout.write("".join(f"{line}\n" for line in wrong) or "Every file is short enough.\n")
    return TOO_LONG if wrong else OK


if __name__ == "__main__":
    sys.exit(main())
