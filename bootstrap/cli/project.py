"""`project`: keep directories of secrets in step with the stores, for wasmCloud 2 and others."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.cli.reporting import FAILED, failure, guarded
from bootstrap.cli.terminal import say


def project(
    config: Annotated[Path, typer.Argument(help="YAML file: directories, consumers and secrets.")],
    *,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only read the file and the settings that it needs.")
    ] = False,
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Only remove what an agent that has ended left behind.")
    ] = False,
) -> None:
    """Write the secrets of each consumer into its directory, and keep them as the store has them.

    It runs until SIGTERM or Ctrl-C and removes every file then. Exit code 2 if the settings or the
    file must be put right, 1 if it could not start or go on, or could not wipe.
    """
    if only_check and wipe:
        raise typer.BadParameter("Give --check or --wipe, not both.")
    if only_check or wipe:
        from bootstrap.projection.offline import checked, wiped

        if only_check:
            directories = guarded(lambda: checked(config)).directories
            files = sum(len(directory.files) for directory in directories)
            say(f"No mistakes. Directories: {len(directories)}, files: {files}.")
        elif left := guarded(lambda: wiped(config)):
            raise failure("\n".join(left), FAILED)
        return
    from bootstrap.projection.main import project as run

    raise typer.Exit(run(config))
