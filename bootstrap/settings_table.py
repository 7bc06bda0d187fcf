"""The configuration table of docs/settings.md, rendered from the settings themselves.

`python -m bootstrap.settings_table` prints it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bootstrap.settings.model import every_group

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def settings_table() -> str:
    """Return the table as Markdown, one section a group."""
    sections = []
    for group in every_group(shipped=True):
        fields, variables = group.model.model_fields, group.model.variables()
        rows = [
            f"| {_names(variables[name])} | {_default(field)} | {field.description} |"
            for name, field in fields.items()
        ]
        sections.append(
            "\n".join(
                (f"**{group.heading}**", "", "| variable | default | meaning |", "|---|---|---|")
            )
            + "\n"
            + "\n".join(rows)
        )
    return "\n\n".join(sections) + "\n"


def _names(variables: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in variables)


def _default(field: FieldInfo) -> str:
    default = None if field.is_required() else field.default
    if isinstance(default, bool):
        default = str(default).lower()
    elif isinstance(default, tuple):
        default = ",".join(default)
    elif isinstance(default, float):
        default = f"{default:g}"
    return "" if default in {None, ""} else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_table())
