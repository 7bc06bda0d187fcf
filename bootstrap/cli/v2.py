"""`v2`: what hosts of wasmCloud 2 are to be configured with."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.cli.reporting import run
from bootstrap.cli.terminal import warn, write

app = typer.Typer(
    name="v2",
    help="Configure hosts of wasmCloud 2.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _v2() -> None:
    """Make `host-config` a command of its own, however few there are."""


@app.command("host-config")
def host_config(
    config: Annotated[Path, typer.Argument(help="The YAML file that `project` is given.")],
) -> None:
    """Write the part of a host's configuration that gives labelled secrets, to standard output.

    It names directories that `project` fills on the host's machine, and only secrets that the
    access policy lets their consumer have. Run it with the settings of `project`. What is left out
    is said on standard error; the text itself says what the host does not protect.
    """
    from bootstrap.projection.bindings import labelled_secrets  # noqa: PLC0415  others load less

    made = run(lambda: labelled_secrets(config))
    for left_out in made.left_out:
        warn(f"{left_out}.", style="yellow")
    write(made.text)
