"""Puts the present configuration table into the README: `python -m tests.unit.docs.refresh_readme`.

The tests compare the two and change nothing.
"""

from __future__ import annotations

import sys

from bootstrap.settings_table import settings_table
from tests.unit.docs.documents import README

BEGIN = "<!-- settings: begin, written by python -m tests.unit.docs.refresh_readme -->\n"
END = "<!-- settings: end -->\n"


def with_table(text: str, table: str) -> str:
    """Return the README's text with the table between the two markers.

    Raises:
        ValueError: a marker is missing or stands there twice.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError("the README needs each of the two settings markers exactly once")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def main() -> None:
    """Rewrite the README."""
    text = README.read_text("utf-8")
    refreshed = with_table(text, settings_table())
    README.write_text(refreshed, "utf-8")
    sys.stdout.write("README.md: " + ("unchanged\n" if refreshed == text else "refreshed\n"))


if __name__ == "__main__":
    main()
