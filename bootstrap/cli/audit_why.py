"""`audit why`: from what the operator reads at the host to the secret and the cause."""

import json
from pathlib import Path
from typing import Annotated

import typer

from adapters.audit.stream_names import DEFAULT_STREAM
from bootstrap.cli import audit
from bootstrap.cli.audit_stream import Stream
from bootstrap.cli.durations import METAVAR
from bootstrap.cli.reporting import FAILED, failure, run
from bootstrap.cli.sessions import session
from bootstrap.cli.terminal import say, write_stored


def why(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Look that far back, such as 90s, 10m or 2h.")
    ] = "1h",
    host: Annotated[str | None, typer.Option(help="The host's key (N…), or its beginning.")] = None,
    application: Annotated[str | None, typer.Option(help="The wadm application.")] = None,
    component: Annotated[
        str | None,
        typer.Option(help="The component's, provider's or workload's name, or its key (M…, V…)."),
    ] = None,
    said: Annotated[
        str | None,
        typer.Option("--said", metavar="TEXT", help="The error as the host's event has it."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="So many refusals, newest first.")] = 1,
    file: Annotated[
        Path | None, typer.Option(help="Read this file instead of the stream.", dir_okay=False)
    ] = None,
    stream: Stream = DEFAULT_STREAM,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the events, one a line, as they are stored.")
    ] = False,
) -> None:
    """Show the last secrets that a host did not get, which its own texts never name.

    Exit code 1 if there are none in that time.
    """

    async def find() -> list[bytes]:
        from adapters.audit.file_reader import read_file
        from adapters.system.clock import SystemClock
        from bootstrap.cli.audit_events import age_seconds, both_streams
        from bootstrap.cli.audit_refusals import WantedRefusal, matching

        clock = SystemClock()
        begin = max(0.0, clock.now() - age_seconds(since))
        wanted = WantedRefusal(host, application, component, said)
        if file is not None:
            return await matching(
                read_file(file, clock, follow=False), begin, wanted, last, as_json=as_json
            )
        async with session()() as client:
            lines = both_streams(client, stream, clock, begin, follow=False)
            return await matching(lines, begin, wanted, last, as_json=as_json)

    found = run(find)
    if not found:
        raise failure(
            f"No refusal of that kind in the last {since}. If the host says `no responders` or "
            "`deadline has elapsed`, the request never arrived or was not answered: see "
            "docs/troubleshooting.md.",
            FAILED,
        )
    from bootstrap.cli.audit_refusals import explained

    for line in found:
        if as_json:
            write_stored(line)
            continue
        for shown in explained(json.loads(line)):
            say(shown)


app = audit.app
app.command("why")(why)
