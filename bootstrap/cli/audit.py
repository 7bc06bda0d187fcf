"""`audit`: the audit trail as it happens, readable."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.audit.stream_names import DEFAULT_STREAM
from bootstrap.cli.audit_stream import Stream
from bootstrap.cli.audit_verify import verify
from bootstrap.cli.durations import METAVAR
from bootstrap.cli.reporting import command_group, run
from bootstrap.cli.sessions import session
from domain.model.audit import Outcome

app = command_group("audit", "Show who asked for what, and what became of it.")

_INTERRUPTED = 130


app.command()(verify)


@app.command()
def tail(
    *,
    since: Annotated[
        str, typer.Option(metavar=METAVAR, help="Begin that long ago, such as 90s, 10m, 2h or 7d.")
    ] = "10m",
    follow: Annotated[
        bool, typer.Option(help="Go on showing events as they come, until Ctrl-C.")
    ] = True,
    errors_only: Annotated[
        bool, typer.Option("--errors-only", help="Show only what was not answered.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Show only this key or path, or those that begin so.")
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option(
            help="Show only this entity or workload, by the beginning of its key or name."
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Show only this reason code.")] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(help="Show only what came to this.", case_sensitive=False)
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also show hosts asking for the server's xkey, and probes of keys rotate."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write events byte for byte as they are stored.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="Read this file instead of the stream.", dir_okay=False)
    ] = None,
    stream: Stream = DEFAULT_STREAM,
) -> None:
    """Show audit events, oldest first, from the two JetStream streams or a file."""

    async def show() -> None:
        from adapters.audit.file_reader import read_file
        from adapters.system.clock import SystemClock
        from bootstrap.cli.audit_events import age_seconds, both_streams, show_events
        from bootstrap.cli.audit_filter import EventFilter, doubt_of_reason
        from bootstrap.cli.terminal import printable, warn

        if reason is not None and (doubt := doubt_of_reason(reason)):
            warn(printable(doubt), style="yellow")
        clock = SystemClock()
        begin = max(0.0, clock.now() - age_seconds(since))
        wanted = EventFilter(
            key=key,
            entity=entity,
            reason=reason,
            outcome=outcome,
            errors_only=errors_only,
            everything=everything,
        )
        if file is not None:
            lines = read_file(file, clock, follow=follow)
            await show_events(lines, begin, wanted, as_json=as_json)
            return
        async with session()() as client:
            events = both_streams(client, stream, clock, begin, follow=follow)
            await show_events(events, begin, wanted, as_json=as_json)

    try:
        run(show)
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
