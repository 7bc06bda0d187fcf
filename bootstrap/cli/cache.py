"""`cache`: have every replica forget what it keeps."""

from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.reporting import AsJson, command_group, run
from bootstrap.cli.terminal import show_table, warn, write_json

if TYPE_CHECKING:
    from adapters.change_notice.messages import ReplicaAnswer

app = command_group("cache", "Have every replica forget values that it keeps.")

_WAIT_SECONDS = 1.0
"""Replicas that tell each other of a change wait as long."""


@app.command()
def flush(
    *,
    key: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="One secret by its whole path: /payments/API_KEY."),
    ] = None,
    folder: Annotated[
        str | None, typer.Option(metavar="PATH", help="A folder and all below it: /payments.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
    environment: Annotated[
        str | None, typer.Option(help="Only in this environment; default: in all.")
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="ID", help="Only in this project; default: in all.")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long to gather answers.")
    ] = _WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Empty every replica's cache, whole or in part, and show how many values each one dropped.

    Exit code 1 if no replica answers. Hosts keep what they have until a component starts again.
    """

    async def ask() -> "list[ReplicaAnswer]":
        from bootstrap.cli.cache_flush import flush_caches, selection_of

        return await flush_caches(selection_of(key, folder, everything, environment, project), wait)

    answers = run(ask)
    if as_json:
        write_json([{"replica": one.replica, "dropped": one.removed} for one in answers])
    else:
        rows = [(answer.replica, str(answer.removed)) for answer in answers]
        show_table(("replica", "values dropped"), rows, right=[1])
    if any(answer.removed for answer in answers):
        return
    hint = "No replica kept any value."
    if (path := key or folder) is not None:
        hint = (
            f"No replica kept a value at {path}. If one should have, compare the path, letter by "
            "letter, with `path` in the audit trail, and --environment and --project, if given, "
            "with its `scope_…`."
        )
    warn(hint, style="yellow")
