"""`v2`, `project` and `relay`: what wasmCloud 2 needs beside the service."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.cli.reporting import FAILED, command_group, failure, guarded, run
from bootstrap.cli.terminal import say, warn, write

app = command_group("v2", "Configure hosts of wasmCloud 2, and serve their plug-ins.")


@app.command("host-config")
def host_config(
    config: Annotated[Path, typer.Argument(help="The YAML file that `project` is given.")],
) -> None:
    """Write the part of a host's configuration that gives labelled secrets, to standard output.

    It names directories that `project` fills on the host's machine, and only secrets that the
    access policy lets their consumer have. Run it with the settings of `project`. What is left out
    is said on standard error; the text itself says what the host does not protect.
    """
    from bootstrap.projection.offline import labelled_secrets  # noqa: PLC0415  others load less

    made = run(lambda: labelled_secrets(config))
    for left_out in made.left_out:
        warn(f"{left_out}.", style="yellow")
    write(made.text)


@app.command("plugin-endpoint")
def plugin_endpoint() -> None:
    """Answer host component plug-ins over HTTPS until SIGTERM or Ctrl-C. Experimental.

    Configured by environment variables, see docs/wasmcloud2.md: ACCESS_POLICY_FILE,
    V2_PLUGIN_TLS_CERT_FILE, V2_PLUGIN_TLS_KEY_FILE and V2_PLUGIN_CLIENT_CA_FILE at least.
    """
    from bootstrap.plugin_endpoint import main  # noqa: PLC0415  as above

    raise typer.Exit(main.plugin_endpoint())


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
    if only_check or wipe:
        from bootstrap.projection.offline import checked, wiped  # noqa: PLC0415  loaded if asked for

        if only_check:
            directories = guarded(lambda: checked(config)).directories
            files = sum(len(directory.files) for directory in directories)
            say(f"No mistakes. Directories: {len(directories)}, files: {files}.")
        elif left := guarded(lambda: wiped(config)):
            raise failure("\n".join(left), FAILED)
        return
    from bootstrap.projection.main import project as run_agent  # noqa: PLC0415  others start faster

    raise typer.Exit(run_agent(config))


def relay() -> None:
    """Fill references to secrets into wasmCloud 2's start requests until SIGTERM or Ctrl-C.

    Configured by environment variables, see docs/wasmcloud2.md: V2_ENVIRONMENT, ACCESS_POLICY_FILE,
    RELAY_OPERATOR_URL and RELAY_HOSTS_URL at least.
    """
    # Imported here: the other commands need none of the container and start faster without it.
    from bootstrap.relay import main  # noqa: PLC0415  see above

    raise typer.Exit(main.relay())
