"""`settings`: every variable, what it is set to, where that comes from and what it means."""

from collections.abc import Iterator
from textwrap import fill, indent
from typing import Annotated, Any

import typer
from pydantic import SecretBytes, SecretStr

from bootstrap.cli.reporting import guarded
from bootstrap.cli.terminal import printable, say, warn, write_json
from bootstrap.settings.configuration import groups_in_force
from bootstrap.settings.library_variables import OF_LIBRARIES, without_userinfo
from bootstrap.settings.model import known_variables
from bootstrap.settings.problems import SettingsError
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

    Of stores and transports those that are chosen. Exit code 2 if a setting cannot be read, or a
    name in `.env` is no setting.
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
