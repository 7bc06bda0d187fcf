"""`python -m tools.file_lengths`: whether every Python file is short enough to hold one idea.

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


def lengths(root: Path) -> dict[str, int]:
    """Return the lines of every Python file below the folders, by its path."""
    return {
        path.relative_to(root).as_posix(): len(path.read_text("utf-8").splitlines())
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
    }


def problems(found: Mapping[str, int]) -> Iterator[str]:
    """Yield what is wrong, one line each."""
    for path, lines in found.items():
        if lines > MAX_LINES:
            yield f"{path} has {lines} lines, and may have {MAX_LINES}: split it by idea."


def main() -> int:
    """Check the tree, print what is wrong, and return the exit code."""
    wrong = list(problems(lengths(ROOT)))
    sys.stdout.write("".join(f"{line}\n" for line in wrong) or "Every file is short enough.\n")
    return TOO_LONG if wrong else OK


if __name__ == "__main__":
    sys.exit(main())
