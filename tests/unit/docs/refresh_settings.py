"""Puts the present configuration table into its page: `python -m tests.unit.docs.refresh_settings`.

The tests compare the two and change nothing.
"""

from __future__ import annotations

import sys

from bootstrap.settings_table import settings_table
from tests.unit.docs.documents import SETTINGS_PAGE

BEGIN = "<!-- settings: begin, written by python -m tests.unit.docs.refresh_settings -->\n"
END = "<!-- settings: end -->\n"


def with_table(text: str, table: str) -> str:
    """Return the page's text with the table between the two markers.

    Raises:
        ValueError: a marker is missing or stands there twice.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError("the page needs each of the two settings markers exactly once")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def main() -> None:
    """Rewrite the page."""
    text = SETTINGS_PAGE.read_text("utf-8")
    refreshed = with_table(text, settings_table())
    SETTINGS_PAGE.write_text(refreshed, "utf-8")
    sys.stdout.write("docs/settings.md: " + ("unchanged\n" if refreshed == text else "refreshed\n"))


if __name__ == "__main__":
    main()
