"""`v2`: what hosts of wasmCloud 2 are configured with, and what their plug-ins ask."""

from pathlib import Path
from typing import Annotated

import typer

from bootstrap.cli.reporting import command_group, run
from bootstrap.cli.terminal import warn, write

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
    from bootstrap.projection.offline import labelled_secrets

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
    from bootstrap.plugin_endpoint import main

    raise typer.Exit(main.plugin_endpoint())
