"""The configuration table of docs/settings.md, rendered from the settings themselves.

`python -m bootstrap.settings_table` prints it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bootstrap.settings.model import GROUPS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def settings_table() -> str:
    """Return the table as Markdown, one section a group."""
    sections = []
    for heading, group in GROUPS:
        rows = [
            f"| `{name.upper()}` | {_default(field)} | {field.description} |"
            for name, field in group.model_fields.items()
        ]
        sections.append(
            "\n".join((f"**{heading}**", "", "| variable | default | meaning |", "|---|---|---|"))
            + "\n"
            + "\n".join(rows)
        )
    return "\n\n".join(sections) + "\n"


def _default(field: FieldInfo) -> str:
    default = field.default
    if isinstance(default, bool):
        default = str(default).lower()
    elif isinstance(default, tuple):
        default = ",".join(default)
    elif isinstance(default, float):
        default = f"{default:g}"
    return "" if default in {None, ""} else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_table())
