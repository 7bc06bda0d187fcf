"""`policy draft` and `policy import-nats-kv`: a policy file from what is already known."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from adapters.system.files import create_file, open_to_read
from bootstrap.cli.progress import Advance, progress
from bootstrap.cli.reporting import FAILED, MISUSED, CommandError, failure, guarded, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import say, warn, write

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a new file, not standard output."),
]


def draft(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[AUDIT_LOG]...", help="Log files (JSON lines); standard input if none."
        ),
    ] = None,
    *,
    output: Output = None,
) -> None:
    """Turn the audit log of observed requests into a draft of a policy file.

    Run the service with AUTHORIZATION_MODE=observe until every application has started once, then
    give its log to this command, read the draft, and name the issuers in it.
    """
    from adapters.access_policy.draft_from_audit import AuditDraft

    drafted = AuditDraft()

    def read() -> None:
        with progress("lines read") as advance:
            for path in logs or (Path("-"),):
                drafted.take(_counted(_log_lines(path), advance))

    guarded(read)
    for reason, count in sorted(drafted.left_out.items()):
        warn(f"Left out: {count} {reason}.")
    if not drafted.used:
        raise failure("There is no answered request in this log; give the service's JSON lines.")
    _deliver(drafted.text(), output)


def import_nats_kv(
    *,
    bucket_name: Annotated[
        str,
        typer.Option(
            "--bucket-name",
            metavar="NAME",
            help="The old backend's name: its mappings are in the bucket SECRETS_{NAME}_state.",
        ),
    ] = "nats-kv",
    output: Output = None,
) -> None:
    """Turn the entity-to-secrets mappings of a secrets-nats-kv backend into a draft."""
    from adapters.access_policy import draft_from_mappings
    from adapters.access_policy.draft_from_mappings import BackendNameUnusableError, MappingsError

    async def read() -> dict[str, bytes] | MappingsError:
        try:
            async with session()() as client:
                return await draft_from_mappings.read_mappings(client, bucket_name)
        except MappingsError as error:
            return error

    mappings = run(read)
    if isinstance(mappings, MappingsError):
        misnamed = isinstance(mappings, BackendNameUnusableError)
        raise failure(str(mappings), MISUSED if misnamed else FAILED)
    text, left_out = draft_from_mappings.draft_of_mappings(mappings)
    for line in left_out:
        warn(f"Left out: {line}")
    _deliver(text, output)


def _log_lines(path: Path) -> Iterator[bytes]:
    if str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            yield from file
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise CommandError(f"{path} cannot be read ({reason}); name a log file.")


def _counted(lines: Iterator[bytes], advance: Advance) -> Iterator[bytes]:
    for line in lines:
        advance(1)
        yield line


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        write(text)
        return
    try:
        create_file(output, text.encode("utf-8"), 0o644)
    except FileExistsError:
        advice = f"{output} exists already; remove it or choose another file."
    except OSError as error:
        advice = f"{output} cannot be written ({error.strerror}); choose another file."
    else:
        say(f"Wrote {output}. Read it, name its issuers, then run: policy check {output}")
        return
    raise failure(advice, MISUSED)
