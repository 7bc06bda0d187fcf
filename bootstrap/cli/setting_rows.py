"""The variables in force, as `settings` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretBytes, SecretStr

from bootstrap.cli.terminal import printable, warn
from bootstrap.settings.configuration import groups_in_force
from bootstrap.settings.library_variables import OF_LIBRARIES, without_userinfo
from bootstrap.settings.model import known_variables
from bootstrap.settings.problems import SettingsError
from bootstrap.settings.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ports.settings import SettingsGroup

MASK: Final = "********"

_HIDDEN: Final = "nats_url"
"""It may hold a password, and its field is no secret of pydantic's."""


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
