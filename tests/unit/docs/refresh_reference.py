"""Writes what is generated from the code: `python -m tests.unit.docs.refresh_reference`.

The settings, the metrics, the reasons, and the reasons as the console has them. The tests compare
and change nothing.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

from bootstrap.settings_table import settings_table
from tests.unit.adapters.metrics.replica import every_spec
from tests.unit.docs.documents import ROOT, SETTINGS_PAGE
from tests.unit.docs.reasons_in_code import reasons_in_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MONITORING: Final = ROOT / "docs" / "monitoring.md"
REASONS: Final = ROOT / "docs" / "reasons.md"
CONSOLE_REASONS: Final = ROOT / "adapters" / "console" / "reasons.json"
GENERATED: Final = (SETTINGS_PAGE, MONITORING, REASONS, CONSOLE_REASONS)
_BY: Final = "written by python -m tests.unit.docs.refresh_reference"


def with_table(text: str, name: str, table: str) -> str:
    """Return the page's text with the table between its two markers.

    Raises:
        ValueError: a marker is missing or stands there twice.
    """
    begin, end = f"<!-- {name}: begin, {_BY} -->\n", f"<!-- {name}: end -->\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the page needs each of the two {name} markers exactly once")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{table}\n{end}{tail}"


def metrics_table() -> str:
    """Return one row for each metric."""
    rows = ["| name | type | labels | meaning |", "|---|---|---|---|"]
    for spec in every_spec():
        labels = ", ".join(f"`{name}`" for name in spec.label_names)
        rows.append(f"| `{spec.name}` | {spec.kind} | {labels} | {spec.meaning} |")
    return "\n".join(rows) + "\n"


def reasons_table() -> str:
    """Return one row for each reason, with the anchor that the console links to."""
    rows = ["| reason | error on the wire | what to do |", "|---|---|---|"]
    for reason, (errors, texts) in sorted(reasons_in_code().items()):
        named = ", ".join(f"`{error}`" for error in errors) or "none"
        advice = "<br>".join(text.replace("|", "\\|").replace("*", "\\*") for text in texts)
        rows.append(f'| <a id="{reason}"></a>`{reason}` | {named} | {advice} |')
    return "\n".join(rows) + "\n"


def console_reasons() -> str:
    """Return the same as JSON, a reason on each line."""
    lines = (
        f"{json.dumps(reason)}: "
        + json.dumps({"errors": errors, "advice": texts}, ensure_ascii=False)
        for reason, (errors, texts) in sorted(reasons_in_code().items())
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def generated() -> Mapping[Path, str]:
    """Return every generated file as it must be."""
    tables = {
        SETTINGS_PAGE: ("settings", settings_table),
        MONITORING: ("metrics", metrics_table),
        REASONS: ("reasons", reasons_table),
    }
    pages = {
        page: with_table(page.read_text("utf-8"), name, table())
        for page, (name, table) in tables.items()
    }
    found = {**pages, CONSOLE_REASONS: console_reasons()}
    assert tuple(found) == GENERATED
    return found


def main() -> None:
    """Rewrite them."""
    for path, text in generated().items():
        is_same = path.exists() and path.read_text("utf-8") == text
        path.write_text(text, "utf-8")
        state = "unchanged" if is_same else "refreshed"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {state}\n")


if __name__ == "__main__":
    main()
