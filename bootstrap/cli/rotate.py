"""`keys rotate`: exchange the server xkey under running hosts, one checked step after another."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.cli.reporting import AsJson, run
from bootstrap.cli.terminal import say, write_json


def rotate(
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The seed file; otherwise that of SERVER_XKEY_SEED_FILE.", dir_okay=False
        ),
    ] = None,
    replicas: Annotated[
        int,
        typer.Option(min=1, help="How many must answer: every worker of every replica counts."),
    ] = 1,
    check: Annotated[bool, typer.Option(help="Ask the running replicas before each step.")] = True,
    finish: Annotated[
        bool, typer.Option("--finish", help="The last step: forget the old key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do the next step of a rotation, and say what to do before the one after it.

    Run it again after each step. It asks the running replicas whether they are ready for the step,
    and changes nothing if they are not. It asks as a host does, so log in to NATS as a host.
    """
    from bootstrap.cli.rotation_step import next_step, told

    seen, key, done = run(
        lambda: next_step(file, replicas, check=check, finish=finish, as_json=as_json)
    )
    if as_json:
        keys = {name.replace(" ", "_"): public for name, public in done.keys.items()}
        answered = None if seen is None else len(seen.openers)
        write_json({"step": done.step, "replicas": answered, **keys})
        return
    if seen is not None:
        say(told(seen, key))
    say(done.text)
