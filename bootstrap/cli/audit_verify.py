"""`audit verify`: whether signed audit events are as they were written, and none is missing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.audit.stream_names import DEFAULT_STREAM, refused_stream
from bootstrap.cli.audit_stream import Stream
from bootstrap.cli.progress import progress
from bootstrap.cli.reporting import FAILED, AsJson, CommandError, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import write_json

if TYPE_CHECKING:
    from bootstrap.cli.audit_trail_check import VerifiedTrail


def verify(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", help="Check this file; again for later ones.", dir_okay=False),
    ] = None,
    stream: Stream = DEFAULT_STREAM,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="A public key, as audit.signing logs it; otherwise the server xkey's."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the signatures of audit events, and that none is missing between them.

    Exit code 1 if anything is wrong. What was cut off at the end, nothing can show.
    """

    async def check() -> "list[VerifiedTrail]":
        from adapters.audit.stream_reader import is_there, read_stream
        from adapters.system.clock import SystemClock
        from bootstrap.cli.audit_trail_check import one_after_the_other, own_keys, verified

        public_keys = keys or own_keys()
        clock = SystemClock()
        with progress("events checked", as_json=as_json) as advance:
            if files:
                lines = one_after_the_other(files)
                return [await verified(lines, "the file", public_keys, advance)]
            found = []
            async with session()() as client:
                for name in (stream, refused_stream(stream)):
                    if name == stream or await is_there(client, name):
                        lines = read_stream(client, name, clock, since=0, follow=False)
                        found.append(await verified(lines, name, public_keys, advance))
            return found

    async def guarded_check() -> "list[VerifiedTrail]":
        from adapters.audit.file_reader import AuditReadError
        from adapters.audit.verifying import KeyUnusableError
        from adapters.crypto.xkey_file import XKeyFileError

        try:
            return await check()
        except (AuditReadError, KeyUnusableError, XKeyFileError) as error:
            advice = str(error)
        raise CommandError(advice)

    found = run(guarded_check)
    if as_json:
        write_json([one.as_object() for one in found])
    else:
        for one in found:
            one.show()
    if any(one.problems for one in found):
        raise typer.Exit(FAILED)
