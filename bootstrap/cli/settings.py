"""`settings`: every variable, what it is set to, where that comes from and what it means."""

from textwrap import fill, indent
from typing import Annotated

import typer

from bootstrap.cli.reporting import guarded
from bootstrap.cli.terminal import say, write_json

_WIDTH = 76


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
    from bootstrap.cli.setting_rows import setting_rows

    rows = guarded(setting_rows)
    if as_json:
        write_json(rows)
        return
    shown = [row for row in rows if every or row["origin"] != "default"]
    for row in shown:
        say(f"{row['variable']}={row['value']}  ({row['origin']})")
        say(indent(fill(row["meaning"], _WIDTH), "    "), style="dim")
