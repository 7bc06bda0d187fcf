"""The variables in force, as `settings` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretBytes, SecretStr

from bootstrap.settings.configuration import groups_in_force
from bootstrap.settings.library_variables import OF_LIBRARIES, without_userinfo
from bootstrap.settings.variables import Variables

if TYPE_CHECKING:
    from ports.settings import SettingsGroup

MASK: Final = "********"

_HIDDEN: Final = "nats_url"
"""It may hold a password, and its field is no secret of pydantic's."""


def setting_rows() -> list[dict[str, str]]:
    """Return variable, value, origin and meaning of each; secrets are masked.

    Raises:
        SettingsError: a setting cannot be read.
    """
    given = Variables.read()
    rows: list[dict[str, str]] = []
    for group in groups_in_force(given):
        loaded = given.load(group)
        for name, variables in group.variables().items():
            variable = next((each for each in variables if given.has(each)), variables[0])
            rows.append(
                {
                    "variable": variable,
                    "value": _shown(loaded, name, variable),
                    "origin": given.origin(variable),
                    "meaning": group.model_fields[name].description or "",
                }
            )
    for variable, value in given.of_libraries().items():
        shown = without_userinfo(variable, value)
        meaning = OF_LIBRARIES[variable]
        rows.append(
            {"variable": variable, "value": shown, "origin": "environment", "meaning": meaning}
        )
    return rows


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
