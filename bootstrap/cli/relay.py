"""`relay`: stand between the operator and the hosts of wasmCloud 2."""

import typer


def relay() -> None:
    """Fill references to secrets into wasmCloud 2's start requests until SIGTERM or Ctrl-C.

    Configured by environment variables, see docs/wasmcloud2.md: V2_ENVIRONMENT, ACCESS_POLICY_FILE,
    RELAY_OPERATOR_URL and RELAY_HOSTS_URL at least.
    """
    # Imported here: the other commands need none of the container and start faster without it.
    from bootstrap.relay import main

    raise typer.Exit(main.relay())
