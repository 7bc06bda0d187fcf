"""The settings as tables: all of them for docs/settings.md, and those in force.

`python -m bootstrap.settings_table` prints the first.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretBytes, SecretStr

from bootstrap.cli.terminal import printable, warn
from bootstrap.settings.configuration import groups_in_force
from bootstrap.settings.library_variables import OF_LIBRARIES, without_userinfo
from bootstrap.settings.model import every_group, known_variables
from bootstrap.settings.variables import Variables
from ports.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from ports.settings import SettingsGroup

MASK: Final = "********"

_HIDDEN: Final = "nats_url"
"""It may hold a password, and its field is no secret of pydantic's."""


def settings_table() -> str:
    """Return the table as Markdown, one section a group."""
    sections = []
    for group in every_group(shipped=True):
        fields, variables = group.model.model_fields, group.model.variables()
        rows = [
            f"| {_names(variables[name])} | {_default(field)} | {field.description} |"
            for name, field in fields.items()
        ]
        head = (f"**{group.heading}**", "", "| variable | default | meaning |", "|---|---|---|")
        sections.append("\n".join((*head, *rows)))
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


def setting_rows() -> list[dict[str, str]]:
    """Return variable, value, origin and meaning of each; secrets are masked.

    Raises:
        SettingsError: a setting cannot be read, or a name in `.env` is none.
    """
    given = Variables.read()
    known = known_variables()
    problems = [*given.unknown_in_file(known), *given.unusable_of_libraries()]
    rows: list[dict[str, str]] = []
    try:
        for group in groups_in_force(given):
            try:
                rows += _rows_of(given, group)
            except SettingsError as error:
                problems += error.problems
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(*dict.fromkeys(problems))
    for name, meant in given.misspelt(known):
        warn(f"{printable(name)} is no setting. Did you mean {meant}?")
    for variable, value in given.of_libraries().items():
        shown = without_userinfo(variable, value)
        rows.append(_row(variable, shown, "environment", OF_LIBRARIES[variable]))
    return rows


def _rows_of(given: Variables, group: type[SettingsGroup]) -> Iterator[dict[str, str]]:
    loaded = given.load(group)
    for name, variables in group.variables().items():
        variable = next((each for each in variables if given.has(each)), variables[0])
        meaning = group.model_fields[name].description or ""
        yield _row(variable, _shown(loaded, name, variable), given.origin(variable), meaning)


def _row(variable: str, value: str, origin: str, meaning: str) -> dict[str, str]:
    return {"variable": variable, "value": value, "origin": origin, "meaning": meaning}


def _shown(group: SettingsGroup, name: str, variable: str) -> str:
    value: Any = getattr(group, name)
    if variable.lower() == _HIDDEN:
        addresses = getattr(group, "addresses", ())
        return ",".join(map(str, addresses))
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case SecretStr() | SecretBytes():
            return MASK
        case tuple() | list():
            return ",".join(map(_text, value))
        case _:
            return str(value)
