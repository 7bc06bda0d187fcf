"""`workload`: start, stop and look at workloads of wasmCloud 2 without Kubernetes."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.wasmcloud2.answers import NOT_FOUND, RUNNING, STARTING, WorkloadStatus
from adapters.wasmcloud2.message import START, STATUS, STOP
from bootstrap.cli.reporting import FAILED, CommandError, command_group, run
from bootstrap.cli.terminal import printable, say, warn, write

HEARTBEAT_SECONDS: Final = 16.0
"""Time to hear every host's heartbeat where none is named: one comes in 15 seconds (measured)."""

app = command_group(
    "workload", "Start, stop and look at workloads of wasmCloud 2, by way of the relay."
)

_Host = Annotated[
    str | None,
    typer.Option("--host", help="The host's id. Unset: the only one heard in 16 seconds."),
]
_Json = Annotated[bool, typer.Option("--json", help="Write JSON, for a program to read.")]
_Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for a host."),
]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The workload's id, as start shows it.")]


@app.command()
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
    as_json: _Json = False,
) -> None:
    """Start a workload; the relay fills in its references to secrets.

    Exit code 0: it runs or starts; 1: the relay or the host refused, or did not answer; 2: the file
    or a setting must be put right.
    """

    async def work() -> tuple[str, WorkloadStatus]:
        from bootstrap.relay.workloads import hosts

        body = _read(file, workload_id)
        async with hosts() as known:
            chosen = host or await known.only_host(HEARTBEAT_SECONDS)
            if replace:
                await known.ask(chosen, STOP, {"workloadId": body["workloadId"]}, timeout)
            return chosen, await known.ask(chosen, START, body, timeout)

    _show(run(work), {RUNNING, STARTING, "COMPLETED"}, as_json=as_json)


@app.command()
def stop(
    workload_id: _Id, *, host: _Host = None, timeout: _Timeout = 30.0, as_json: _Json = False
) -> None:
    """Stop a workload.

    Exit code 0: it stops, or does not run; 1: the host refused or did not answer; 2: a setting must
    be put right.
    """
    _show(_about(STOP, workload_id, host, timeout), {"STOPPING", NOT_FOUND}, as_json=as_json)


@app.command()
def status(
    workload_id: _Id, *, host: _Host = None, timeout: _Timeout = 30.0, as_json: _Json = False
) -> None:
    """Say how a workload is.

    Exit code 0: it runs, starts, stops or has completed; 1: it does not, or the host did not
    answer; 2: a setting must be put right.
    """
    good = {RUNNING, STARTING, "STOPPING", "COMPLETED"}
    _show(_about(STATUS, workload_id, host, timeout), good, as_json=as_json)


def _about(
    what: str, workload_id: str, host: str | None, timeout: float
) -> tuple[str, WorkloadStatus]:
    async def work() -> tuple[str, WorkloadStatus]:
        from bootstrap.relay.workloads import hosts

        async with hosts() as known:
            chosen = host or await known.only_host(HEARTBEAT_SECONDS)
            return chosen, await known.ask(chosen, what, {"workloadId": workload_id}, timeout)

    return run(work)


def _read(file: Path, workload_id: str | None) -> dict[str, object]:
    from adapters.wasmcloud2.workload_file import WorkloadFileError, read_workload_file

    try:
        return read_workload_file(file.read_bytes(), workload_id)
    except OSError as error:
        problem = f"The file cannot be read ({error.strerror}); check its path and mode."
    except WorkloadFileError as error:
        problem = str(error)
    raise CommandError(f"{file}: {problem}")


def _show(found: tuple[str, WorkloadStatus], good: set[str], *, as_json: bool) -> None:
    host, answer = found
    is_good = answer.state in good
    if as_json:
        shown = {
            "host": host,
            "workload_id": answer.workload_id,
            "state": answer.state,
            "message": answer.message,
        }
        write(json.dumps(shown) + "\n")
    else:
        text = f"{answer.workload_id} on {host}: {answer.state}. {answer.message}".strip()
        (say if is_good else warn)(printable(text))
    if not is_good:
        raise typer.Exit(FAILED)
