"""`relay`, `project`, `v2` and `workload`: the commands for wasmCloud 2."""

from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.wasmcloud2.message import (
    NOT_FOUND,
    RUNNING,
    START,
    STARTING,
    STATUS,
    STOP,
    WorkloadStatus,
)
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import (
    FAILED,
    AsJson,
    CommandError,
    command_group,
    failure,
    guarded,
    run,
)
from bootstrap.cli.terminal import printable, say, warn, write, write_json

HEARTBEAT_SECONDS: Final = 16.0
"""Time to hear every host's heartbeat where none is named: one comes in 15 seconds (measured)."""

app = command_group("v2", "Configure hosts of wasmCloud 2, and serve their plug-ins.")
workloads = command_group(
    "workload", "Start, stop and look at workloads of wasmCloud 2, by way of the relay."
)

_Host = Annotated[
    str | None,
    typer.Option("--host", help="The host's id. Unset: the only one heard in 16 seconds."),
]
_Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for a host."),
]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The workload's id, as start shows it.")]


def relay() -> None:
    """Fill references to secrets into wasmCloud 2's start requests until SIGTERM or Ctrl-C.

    Configured by environment variables, see docs/wasmcloud2.md: V2_ENVIRONMENT, ACCESS_POLICY_FILE,
    RELAY_OPERATOR_URL and RELAY_HOSTS_URL at least.
    """
    # Imported here: the other commands need none of the container and start faster without it.
    from bootstrap.wasmcloud2.relay import relay as run

    raise typer.Exit(run())


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
    from bootstrap.wasmcloud2.plugin_endpoint import plugin_endpoint as run_endpoint

    raise typer.Exit(run_endpoint())


@workloads.command()
def start(
    file: Annotated[
        Path,
        typer.Argument(help="YAML or JSON: the start request, or the workload in it alone."),
    ],
    *,
    host: _Host = None,
    workload_id: Annotated[
        str | None, typer.Option("--id", help="Unset: the file's, or its namespace and name.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Stop the workload of that id first, if it runs.")
    ] = False,
    timeout: _Timeout = 120.0,
    as_json: AsJson = False,
) -> None:
    """Start a workload; the relay fills in its references to secrets.

    Exit code 0: it runs or starts; 1: the relay or the host refused, or did not answer; 2: the file
    or a setting must be put right.
    """
    body = guarded(lambda: _read(file, workload_id))
    about = str(body["workloadId"])
    found = _asked(START, body, host, timeout, first_stop=about if replace else None)
    _show(found, {RUNNING, STARTING, "COMPLETED"}, as_json=as_json)


@workloads.command()
def stop(
    workload_id: _Id, *, host: _Host = None, timeout: _Timeout = 30.0, as_json: AsJson = False
) -> None:
    """Stop a workload.

    Exit code 0: it stops, or does not run; 1: the host refused or did not answer; 2: a setting must
    be put right.
    """
    found = _asked(STOP, {"workloadId": workload_id}, host, timeout)
    _show(found, {"STOPPING", NOT_FOUND}, as_json=as_json)


@workloads.command()
def status(
    workload_id: _Id, *, host: _Host = None, timeout: _Timeout = 30.0, as_json: AsJson = False
) -> None:
    """Say how a workload is.

    Exit code 0: it runs, starts, stops or has completed; 1: it does not, or the host did not
    answer; 2: a setting must be put right.
    """
    found = _asked(STATUS, {"workloadId": workload_id}, host, timeout)
    _show(found, {RUNNING, STARTING, "STOPPING", "COMPLETED"}, as_json=as_json)


def _asked(
    what: str,
    body: dict[str, object],
    host: str | None,
    timeout: float,
    *,
    first_stop: str | None = None,
) -> tuple[str, WorkloadStatus]:
    async def work() -> tuple[str, WorkloadStatus]:
        from adapters.nats.relay_settings import OperatorNatsSettings
        from bootstrap.wasmcloud2.workloads import ask, only_host

        async with open_nats(OperatorNatsSettings) as client:
            chosen = host or await only_host(client, HEARTBEAT_SECONDS)
            if first_stop is not None:
                await ask(client, chosen, STOP, {"workloadId": first_stop}, timeout)
            return chosen, await ask(client, chosen, what, body, timeout)

    return run(work)


def _read(file: Path, workload_id: str | None) -> dict[str, object]:
    from adapters.wasmcloud2.workload_file import WorkloadFileError, read_workload_file

    try:
        return read_workload_file(file.read_bytes(), workload_id)
    except OSError as error:
        problem = f"The file cannot be read ({error.strerror}); check its path and mode."
        raise CommandError(f"{file}: {problem}") from None
    except WorkloadFileError as error:
        raise CommandError(f"{file}: {error}") from None


def _show(found: tuple[str, WorkloadStatus], good: set[str], *, as_json: bool) -> None:
    host, answer = found
    is_good = answer.state in good
    if as_json:
        write_json(
            {
                "host": host,
                "workload_id": answer.workload_id,
                "state": answer.state,
                "message": answer.message,
            }
        )
    else:
        text = f"{answer.workload_id} on {host}: {answer.state}. {answer.message}".strip()
        (say if is_good else warn)(printable(text))
    if not is_good:
        raise typer.Exit(FAILED)
