"""`settings`: every variable, what it is set to, where that comes from and what it means."""

from textwrap import fill, indent
from typing import Annotated, Any

import typer
from pydantic import SecretBytes, SecretStr

from bootstrap.cli.reporting import guarded
from bootstrap.cli.terminal import say, write_json
from bootstrap.settings.configuration import groups_in_force
from bootstrap.settings.library_variables import OF_LIBRARIES, without_userinfo
from bootstrap.settings.variables import Variables
from ports.settings import SettingsGroup

MASK = "********"

_WIDTH = 76
_HIDDEN = "nats_url"
"""It may hold a password, and its field is no secret of pydantic's."""


def settings(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are at their default.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON, for a program to read; always all of them.")
    ] = False,
) -> None:
    """Show the variables in force: value, origin and meaning; secrets are masked.

    Of stores and transports those that are chosen. Exit code 2 if a setting cannot be read.
    """
    rows = guarded(_rows)
    if as_json:
        write_json(rows)
        return
    shown = [row for row in rows if every or row["origin"] != "default"]
    for row in shown:
        say(f"{row['variable']}={row['value']}  ({row['origin']})")
        say(indent(fill(row["meaning"], _WIDTH), "    "), style="dim")


def _rows() -> list[dict[str, str]]:
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
