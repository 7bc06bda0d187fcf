"""`exec`: run one command with secrets in its environment, and nowhere else."""

from typing import Annotated

import typer

from bootstrap.cli.reporting import (
    FAILED,
    METAVAR,
    MISUSED,
    CommandError,
    duration_seconds,
    failure,
    guarded,
)


def exec_(
    command: Annotated[list[str], typer.Argument(help="What is run, and its arguments.")],
    *,
    mappings: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=KEY",
            help="A variable and its secret: a key, or secret://KEY?field=NAME. Repeatable.",
        ),
    ] = None,
    namespace: Annotated[str, typer.Option(help="The workload's namespace, as the rules name it.")],
    workload: Annotated[str, typer.Option(help="The workload's name, as the rules name it.")],
    environment: Annotated[
        str | None, typer.Option(help="Its environment; default: V2_ENVIRONMENT.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Start the command again when a secret changes.")
    ] = False,
    grace: Annotated[
        str, typer.Option(metavar=METAVAR, help="With --watch: from SIGTERM to SIGKILL.")
    ] = "10s",
    max_stale: Annotated[
        str,
        typer.Option(metavar=METAVAR, help="With --watch: how long the store may be out."),
    ] = "5m",
) -> None:
    """Run a command with secrets in its environment: neither in files, arguments nor logs.

    Signals are passed on, and the exit code is the command's: 128 and the signal's number if one
    ended it. Exit code 1 if a secret is refused, which the message names; the command is not run
    then. 2 if the settings or options must be put right, 127 if there is no such command.
    """
    from bootstrap.closing import ServiceFailedError, ServiceMisconfiguredError
    from bootstrap.run_with.main import run_with
    from bootstrap.run_with.request import Run, read_mappings
    from bootstrap.settings import load_settings
    from bootstrap.settings.service import Wasmcloud2Settings
    from domain.model.workload import Workload

    def run() -> int:
        stated = environment or load_settings(Wasmcloud2Settings).v2_environment
        if not stated:
            raise CommandError("Name the environment by --environment, or set V2_ENVIRONMENT.")
        for_whom = Workload(stated, namespace, workload)
        wanted = Run(
            tuple(command),
            read_mappings(mappings or (), for_whom),
            watch=watch,
            max_stale_seconds=_seconds("--max-stale", max_stale),
            grace_seconds=_seconds("--grace", grace),
        )
        try:
            return run_with(wanted)
        except ServiceFailedError as error:
            misused = isinstance(error, ServiceMisconfiguredError)
            raise failure(str(error), MISUSED if misused else FAILED) from None

    raise typer.Exit(guarded(run))


def _seconds(option: str, text: str) -> float:
    try:
        return float(duration_seconds(text))
    except ValueError as error:
        raise CommandError(f"{option}: {error}.") from None
