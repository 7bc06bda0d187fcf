"""`wasmcloud-secrets`: run the service, play a host, keep secrets, rules, keys and tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from bootstrap.cli import (
    audit,
    audit_why,
    cache,
    check,
    exec_command,
    healthcheck,
    keys,
    kv,
    manifest,
    nats_auth,
    policy,
    project,
    relay,
    request,
    settings,
    token,
    v2,
    workload,
)
from bootstrap.cli.plain_help import PlainGroup
from bootstrap.version import __version__

app = typer.Typer(
    name="wasmcloud-secrets",
    help="A secrets backend for wasmCloud. Configured by environment variables; see the README.",
    cls=PlainGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    # Typer's own tracebacks show locals, and those may hold secrets.
    pretty_exceptions_enable=False,
)
app.command("request")(request.request)
app.command("healthcheck")(healthcheck.healthcheck)
app.add_typer(kv.app, name="kv")
app.add_typer(cache.app, name="cache")
app.add_typer(nats_auth.app, name="nats-auth")
app.add_typer(policy.app, name="policy")
audit.app.command("why")(audit_why.why)
app.add_typer(audit.app, name="audit")
app.add_typer(manifest.app, name="manifest")
app.add_typer(keys.app, name="keys")
app.add_typer(token.app, name="token")
app.add_typer(v2.app, name="v2")
app.add_typer(workload.app, name="workload")


app.command("check")(check.check)
app.command("settings")(settings.settings)
app.command("project")(project.project)
app.command("relay")(relay.relay)
app.command("exec", context_settings=exec_command.CONTEXT)(exec_command.exec_)


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
        check.check(as_json=as_json)
    # Imported here: the other commands need none of the container and start faster without it.
    from bootstrap import main  # noqa: PLC0415  see above

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
