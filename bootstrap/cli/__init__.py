"""`wasmcloud-secrets`: run the service, play a host, keep secrets, rules, keys and tokens."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from bootstrap.cli.groups import Later, later_group
from bootstrap.version import __version__

COMMANDS: Final = {
    "check": Later(
        "diagnosis", "check", "Look at all that a start needs, one line each, and change nothing."
    ),
    "settings": Later(
        "diagnosis",
        "settings",
        "Show the variables in force: value, origin and meaning; secrets are masked.",
    ),
    "request": Later(
        "request",
        "request",
        "Ask for a secret as a host does, with a made-up identity unless a token is given.",
    ),
    "healthcheck": Later(
        "diagnosis",
        "healthcheck",
        "Ask the running service at ADMIN_ADDR whether it is well; for HEALTHCHECK of an image.",
    ),
    "kv": Later("kv", "app", "Write and read the secrets in the NATS KV bucket."),
    "cache": Later("cache", "app", "Have every replica forget values that it keeps."),
    "nats-auth": Later("nats_auth", "app", "Make NATS accounts, logins and permissions."),
    "policy": Later("policy", "app", "Check, explain and draft the access policy file."),
    "audit": Later("audit", "app", "Show who asked for what, and what became of it."),
    "manifest": Later("manifest", "app", "Check the secrets of wadm manifests."),
    "keys": Later("keys", "app", "Make, rotate and inspect keys."),
    "token": Later("token", "app", "Sign and inspect tokens."),
    "v2": Later("v2", "app", "Configure hosts of wasmCloud 2, and serve their plug-ins."),
    "workload": Later(
        "v2", "workloads", "Start, stop and look at workloads of wasmCloud 2, by way of the relay."
    ),
    "project": Later(
        "v2",
        "project",
        "Write the secrets of each consumer into its directory, and keep them as the store has "
        "them.",
    ),
    "relay": Later(
        "v2",
        "relay",
        "Fill references to secrets into wasmCloud 2's start requests until SIGTERM or Ctrl-C.",
    ),
    "exec": Later(
        "exec_command",
        "exec_",
        "Run a command with secrets in its environment: neither in files, arguments nor logs.",
        takes_command=True,
    ),
}
"""Help is shown in a fraction of the time that all of them take to load."""

app = typer.Typer(
    name="wasmcloud-secrets",
    help="A secrets backend for wasmCloud. Configured by environment variables; see the README.",
    cls=later_group(COMMANDS),
    rich_markup_mode=None,
    no_args_is_help=True,
    # Typer's own tracebacks show locals, and those may hold secrets.
    pretty_exceptions_enable=False,
)


@app.command()
def serve(
    *,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only look at all that a start needs, as `check` does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: write JSON.")] = False,
) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    if only_check:
        from bootstrap.cli.diagnosis import check

        check(as_json=as_json)
    if as_json:
        raise typer.BadParameter("It goes with --check: the log is JSON by LOG_FORMAT.")
    # Imported here: the other commands need none of the container and start faster without it.
    from bootstrap import main

    raise typer.Exit(main.serve())


def _show_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it with the option's value
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    del version
